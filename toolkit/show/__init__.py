"""
The show: questions on screen, answers in the chat, the first right one.

Pure and deterministic: what a viewer wrote and when goes in, who is right comes out.
No clock, no sockets, no bus, so a recording gives the same winners as its live. It
may import the model and nothing above; only ``bank`` reads files.

- ``folding``: the form of a text in which answers are compared;
- ``numbers``: numbers in digits and in words;
- ``answers``: whether a comment answers a question;
- ``quiz``: one round, from question to winner;
- ``bank``: questions from JSON, CSV and YAML files;
- ``rescore``: a finished recording, asked again.
"""
