"""
Bringing a live in: TikTokLive for the connection, our own eyes for the frames.

    source         what the recorder needs of one connection attempt
    tiktok_source  one connection attempt: look up, sign, listen
    transport      its HTTP: the signing service's answers, seen before TikTokLive
    outcomes       what an exception of TikTokLive or the network means
    options        addresses, the key, and where secrets may go
    reachability   the probe: can TikTok's live server be reached at all
    quota_file     signatures spent, remembered for the next process
    recorder       carries out the supervisor's commands
    intake         journals frames and publishes them; keeps them while the disk is full
    account        what status, sockets and logs are told about the connection

A frame is in the journal before TikTokLive acknowledges it. TikTokLive is imported
in ``tiktok_source`` and ``outcomes`` alone.
"""
