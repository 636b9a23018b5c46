"""
Keeping a recording: written before it is acknowledged, sealed into one file.

    sequencer  numbers messages, drops the ones already seen
    journal    append-only file, one record per frame, written before the ack
    database   the only `import duckdb`; schema.sql is the contract with users
    projector  the thread that turns batches into rows, every 250 ms
    reader     `open_recording`: polars and SQL on a sealed or a running recording

May import ``model`` and ``wire``. Knows nothing of TikTok's server, of the bus or
of the dashboard.
"""
