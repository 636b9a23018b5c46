"""
Staying connected, without I/O: time and outcomes in, commands out.

    stimuli       what the supervisor is told, and what it has the recorder do
    supervisor    the states, and what happens next in each
    transitions   the table of states that the supervisor may never leave
    backoff       how long to wait before attempt n
    breaker       dials that keep failing are spaced out, then tried one by one
    budget        signatures spent, and when the next one may be asked for
    rate_limit    what a refusal's headers say about the time to wait
    watchdog      silence on the wire, told from a quiet room
    kind_silence  one kind of event stopped while others go on
    stability     uptime, time to detect, time to be back, a score

Nothing here sleeps, dials or reads a clock. The recorder carries the commands
out and reports what came of them, so a year of outages runs in a second.
May import ``model`` only.
"""
