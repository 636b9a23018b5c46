"""
Bringing a live in: TikTokLive for the connection, our own eyes for the frames.

    tiktok_source  one connection attempt; the only `import TikTokLive`
    recorder       carries out the supervisor's commands, journals, publishes

A frame is in the journal before TikTokLive acknowledges it.
"""
