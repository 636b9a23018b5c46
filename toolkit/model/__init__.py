"""
The nouns of this field, without any I/O.

``frame`` is what TikTok pushed, byte for byte. ``event`` is what a message in a
frame means. ``recording`` is one captured live: its id, its segments, its gaps.

Everything here is plain data. This package imports nothing of the toolkit but
``errors`` and ``clock``; everybody may import it.
"""
