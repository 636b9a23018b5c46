"""
Staying connected, without I/O: time and outcomes in, commands out.

    backoff     how long to wait before attempt n
    supervisor  what to do when a connection comes up, ends or fails

Nothing here sleeps, dials or reads a clock. The recorder carries the commands
out and reports what came of them, so a year of outages runs in a second.
May import ``model`` only.
"""
