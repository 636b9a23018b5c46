"""
What viewers do besides answering: ask, give, follow, vote, come in crowds.

    inbox       their questions, the same ones together
    alerts, lineup, bursts
                what is celebrated, in which order, and when many come at once
    goals, totals
                what the live has grown by, and how far that is from a goal
    polls       votes in the chat, and TikTok's own

May import ``reading`` and what every part shares. Nothing here knows of rounds or points.
"""
