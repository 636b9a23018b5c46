"""
The verbs of ``toolkit VERB``, one module per group of them.

    verb         what verbs have in common: a folder, settings, a printed result
    record       record
    serve        serve, check-config
    replay       replay
    recordings   recordings, info, verify, rebuild
    show         rescore, leaderboard
    questions    questions
    laboratory   simulate, load-test, bench

Each module ends with its `add_verbs`, which the command line calls with the function
that adds one. What a verb does stands in the part it is about; here is what it takes
from the terminal and what it prints. Only :mod:`toolkit.cli` imports this.
"""
