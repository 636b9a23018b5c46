"""
What the messages of a live add up to, and what is missing from them.

    gifts       each gift once: running, final, settled
    tombstones  what TikTok withdrew
    replayed    comments that a new connection repeats
    stretches   what one connected stretch says about the time around it
    counters    TikTok's own totals, read on both sides of a gap
    rates       how much usually happens, and how sure that is
    gaps        the stretches nobody observed, and what they cost

Pure: batches and events in, figures out; no clock, no files. The same messages
give the same figures, so a live, the healing of a killed recording and a rebuild
agree to the last digit. May import ``model`` only.
"""
