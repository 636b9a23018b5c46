"""
The show: questions on screen, answers in the chat, the first right one; and what goes with it.

Notices, commands and time go in, states come out, the same from a live, a rehearsal and
a test. No part has a clock, a socket or a thread of its own; the conductor has, and hands
to others what is to be kept.

    conductor   brings notices, time and commands to the parts, announces what they say
    programme   which parts there are

The rooms, from the top down; each imports what stands on a lower line, never a neighbour:

    points/     who has won: tally, boards, a recording asked again
    question/   what is asked, when, and who was first
    audience/   what viewers do besides: their questions, alerts, goals, polls
    moderation/ who may be seen
    look/       stage, presets, pictures of viewers
    reading/    what a text says: whether it answers, asks, or hides something

What every part shares, below the rooms:

    part, mistake
                what a part looks like to its conductor; what is wrong with something typed
    run, request
                what the notice of a run says, what a command says
    keeping, rounds
                files that are replaced whole; the log of results, which only grows

May import ``model``, ``ledger``, ``bus`` and ``store``, and nothing above.
"""
