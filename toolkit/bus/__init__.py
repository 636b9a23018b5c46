"""
Publish and subscribe, bounded, from any thread to any thread.

    notice      what travels: a type, a number, a time, the data; and its JSON
    memory      the bus of one process
    live_state  rates, totals and recent comments, kept once for all pages

A slow subscriber loses its oldest notices and is told how many; it never slows
the publisher, which is the thread that journals.
"""
