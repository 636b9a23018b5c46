"""
TikTok's bytes: taking them apart, giving them meaning, making them.

    schema   protobuf classes, built at run time from the installed TikTokLiveProto
    inflate  bounded gunzip and a bounded walk over a hostile envelope
    decode   frame -> messages, still raw; nothing but the envelope is read
    events   message -> typed event; one small function per message type
    encode   the other direction, for the simulator, the replay and the stub
             that TikTokLive acknowledges

Everything is a pure function of bytes. Nothing here opens a socket or a file,
except ``schema``, which keeps a cache of descriptors. This is the only package
that imports ``google.protobuf``, ``TikTokLiveProto`` or ``betterproto2``.
"""
