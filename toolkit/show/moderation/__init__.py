"""
Who may be seen: what is blocked, hidden, held back, and who decided that.

    blocklist   which texts are listed, in whatever disguise
    ruling      immutable rules: whether something is shown
    gate        the rules that hold now, asked by the hub and by other parts
    moderation, held
                what the operator decides, and what waits for that
    decisions   where that is kept, for each recording

May import ``reading`` and what every part shares.
"""
