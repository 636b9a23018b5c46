"""
What a text says: whether it answers, whether it asks, what it may hide.

Text in, an opinion out: no notices, no time, nothing kept.

    folding     the form in which texts are compared
    numbers, answers
                whether a comment answers a question
    asking, wording
                whether it asks something, and whether two ask the same
    disguise, links
                what a word may be a disguise of, and what is a link

Imports nothing of the show; every other room may import it.
"""
