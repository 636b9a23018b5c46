"""
The question on screen: where it comes from, when it is asked, who was first.

    quiz, travel
                one round, from question to winner; which comments were delayed
    bank, shelf, deck, rota
                questions from files, which comes next, and when
    cards, air, host
                what is on screen, and who decides it

May import ``audience``, whose questions are shown too, ``reading`` and what every part shares.
Points are none of its business: it says who won.
"""
