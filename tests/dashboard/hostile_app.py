"""A served page on a real App whose bus brings what an attacker would write."""

import os
from pathlib import Path

from toolkit.app import get_app
from toolkit.bus.live_state import run_started
from toolkit.dashboard import show_page
from toolkit.model.event import Comment, Gift, Question, User

CORPUS = Path(os.environ["HOSTILE_CORPUS"]).read_text("utf-8").splitlines()


def attack(app):
    """Publish every text in every place that a viewer can fill."""
    now = app.clock.now_us()
    app.bus.publish([run_started("live", CORPUS[0], CORPUS[1])])
    for n, text in enumerate(CORPUS, 1):
        viewer = User(n, text, text, is_moderator=n % 2 == 0, is_subscriber=True, avatar_url=text)
        app.bus.publish(
            [
                ("comment", Comment(n, n, now, now, viewer, text, text, text, text, False)),
                ("question", Question(n, 100 + n, now, now, viewer, n, text, 0)),
                ("gift", Gift(n, 200 + n, now, now, viewer, 1, text, 100 - n, 2, 1, True, n, 0, text)),
            ]
        )


app = get_app()
if not app.figures().run_seq:
    attack(app)
show_page(get_app)
