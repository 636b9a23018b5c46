"""
The operator's dashboard: one page, made of cards.

A card is built once per page and then only updated. What the cards show is worked
out and encoded once per process by :class:`~toolkit.dashboard.board.Board`, however
many pages are open; a page asks four times a second and sends what changed.

    board.py    figures of the App -> one JSON text per card
    catalogue.py  the recordings, each file read once
    cards.py    what each card says, as plain data
    steadiness.py  the same of connection and gaps
    transport.py   the same of a rehearsal: its bar, its timeline, where it is
    show_states.py  the same of the show's parts, encoded when they change
    card.py     the one component class: a state that goes down, requests that come up
    show_cards.py  the cards of the show
    desk.py     carries out what a page asks for, away from the server's loop
    chart.py    the Bokeh figure
    page.py     template, cards, ticking
    words.py    every text: one file per language in languages/
    assets/     one script per card, style sheets, the page with its three views

Text of viewers is data: scripts put it on the page with ``textContent`` alone, and
no Panel pane or notification is used here, since almost every one of them runs
markup. This is the only package that imports ``panel`` and ``bokeh`` models.
"""

from toolkit.dashboard.page import show_page

__all__ = ["show_page"]
