"""
The web surface: Tornado routes beside the dashboard, in the same process and port.

    backend     what the routes need to know and to ask for; the App provides it
    access      who may ask anything at all: one place, for every route there is
    inbound     what a client may say on the socket
    frames      what is sent: each notice encoded and judged once
    hub         the socket's fan-out: who gets which frame, bounded per client
    surface     what the routes of one application share
    handler     headers, errors, HEAD: the same everywhere
    overlay, presets, screens, avatar, socket, show, api, health
                one file per surface; each ends with its `routes`
    pictures    what `avatar` fetches, and from whom alone
    routes      all of them, in order
    plugin      for `panel serve --plugins toolkit.web.plugin`
    panel_hook  for plain `panel serve`: Panel loads it by entry point

The only `import tornado` besides the simulator's. Nothing here records, decodes or
reads a recording: routes ask the backend and shape its answer.
"""
