"""
What holds for the whole screen: blank or not, presets of the overlay, the pictures of viewers.

    stage       what holds for every widget
    presets     options and styles under a name
    faces       pictures of viewers, and where they are to be had

Stands beside ``audience`` and ``moderation``, on what every part shares.
"""
