"""
Record, watch, rehearse and analyse TikTok LIVE.

The folder tree is the architecture: ``model`` has the nouns, ``wire`` reads
TikTok's bytes, ``store`` keeps them, ``capture`` brings them in, ``web`` and
``dashboard`` show them. Imports point one way; a test proves it.
"""
