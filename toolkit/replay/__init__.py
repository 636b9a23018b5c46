"""
Recorded lives, played back through the code that runs a live.

    player  a sealed recording as frames, in time, onto the bus

Plays on the bus of the process it runs in, marked as a rehearsal; never writes to
the recording it plays.
"""
