"""
Who has won: points from the results of rounds, and all of it counted again.

    tally, weeks, leaderboard
                points added up, and the boards
    scorebook   the file of points
    rescore, command
                a finished recording, asked again: ``toolkit rescore``
    recount     the boards from what is kept: ``toolkit leaderboard``

May import ``question``, ``moderation`` and what stands below them.
"""
