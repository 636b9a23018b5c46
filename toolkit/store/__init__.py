"""
Keeping a recording: written before it is acknowledged, sealed into one file.

    sequencer   numbers messages, drops the ones already seen
    journal     append-only file, one record per frame, written before the ack
    syncing     the thread that brings it to the disk
    plain_file  opening what has to be a file, not a pipe
    fold        a journal told from the beginning: batches, segments, totals
    totals      what a recording adds up to, and whether two are the same
    account     what a recording says about itself: segments, gaps, gifts, withdrawals
    rows        batches as rows; schema.sql is the contract with users
    database    the only `import duckdb`
    projector   the thread that turns batches into rows, every 250 ms
    sealing     journal and database become one checked file; healing is the same
    recorded    a sealed recording told frame by frame
    playable    the same for a replay: when frames came, what had happened by then
    verifying   whether a recording holds what it says it holds
    rebuilding  a sealed recording made anew with today's decoder
    writer      `RecordingWriter`: what capture needs of all this
    beginning   the journal of a new recording, under an id of its own
    catching_up a long recording goes on at once, its past told in a thread
    folder      `RecordingsFolder`: one owner; list, info, heal, verify, rebuild
    resuming    whether a recording without a recorder may be continued
    intent      whom a server is recording, for the next one to know
    scores      the points of the show: a file of its own
    following   the recording that a notebook asks for again and again, kept open
    reader      `open_recording`: polars and SQL on a sealed or a running recording

May import ``model``, ``wire`` and ``ledger``. Knows nothing of TikTok's server, of the bus or
of the dashboard.
"""
