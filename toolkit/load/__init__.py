"""
The real thing under load: ``toolkit load-test``.

    command      the verb; one run, or a ladder of them
    run          the parts of a run, each a process of its own; the load held, the evidence collected
    server, pipes  a server under load; a process of our own, asked over a pipe
    room         what it is made of: invented, or a recording
    feeds        where the load comes in: over the wire, or inside at the tap
    source       the simulator's process: what is sent, and when it was due
    listeners    the process of the socket clients, those that never read included
    socket_client  one of them: the little of RFC 6455 that reading takes
    browsers     real Chromium pages of the overlay, which tell what they painted
    gauges       CPU and memory of a process, tree of processes or server
    histogram    latencies, as HdrHistogram counts them
    stages       one comment's way: due, sent, received ... painted
    objectives   what has to hold, and whether it did
    ladder       the knee, and what saturates there
    report, page, plots   the result as JSON, JUnit and one HTML page

Everything is counted from the moment a comment was due, not from when a busy
machine came round to sending it. The load is open loop: whoever is slow is late, and
nobody waits for him. Speaks to 127.0.0.1 only.
"""
