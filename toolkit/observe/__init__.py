"""
Seeing inside: logs and metrics. Names may be imported from everywhere.

    logs     one line per unit of work, text or JSON, secrets redacted
    metrics  figures pulled at scrape time; the only `import prometheus_client`
    machine  what a figure was measured on
    trace    when each frame passed each stage, for load tests
"""
