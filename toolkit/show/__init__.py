"""
The show: questions on screen, answers in the chat, the first right one; and what goes with it.

Notices, commands and time go in, states come out, the same from a live, a rehearsal and
a test. No part has a clock, a socket or a thread of its own; the conductor has, and hands
to others what is to be kept.

    part        what every part looks like to its conductor
    programme   which parts there are
    conductor   brings them notices, time and commands, announces what they say
    run, request
                what the notice of a run says, what a command says

  Questions
    folding, numbers, answers
                whether a comment answers a question
    quiz        one round, from question to winner
    bank, shelf, deck, rota
                questions from files, which comes next, and when
    asking, inbox
                what the audience asks
    cards, air, host
                what is on screen, and who decides it
    rescore, command
                a finished recording, asked again

  Around them
    alerts, lineup, bursts; goals, totals; polls; stage; presets, faces

  Who may be seen
    disguise, links, blocklist
                what a text may mean, and whether that is listed
    ruling, gate
                whether something is shown: immutable rules, asked by hub and parts
    moderation, decisions
                what the operator decides, and where it is kept

  Who has won
    tally, weeks, leaderboard
                points from rounds, and the boards
    rounds, scorebook, recount
                the log of results, the file of points, and counting again

  keeping       files that are replaced whole

May import ``model``, ``ledger``, ``bus`` and ``store``, and nothing above.
"""
