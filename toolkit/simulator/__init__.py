"""
A local TikTok: one loopback port to which the real TikTokLive client connects.

    language  what viewers write, in fifteen languages
    audience  who they are: names, handles, badges, ready-made protobuf parts
    gifts     the gift catalogue and the rhythm of a streak
    messages  one builder per message type that people cause
    notices   one builder per message type that the room itself causes
    profile   how busy a room is, and with what
    traffic   all of it in time: a seeded stream of bursts, no I/O, no clock
    ledger    what was broadcast and what each connection got: the oracle of tests
    faults    what can go wrong, as data: kinds, parameters, ranges
    fault_plan  faults in time: a file, or drawn from a seed
    damage    what a fault does to one frame
    injector  which frame, answer and handshake meets a fault
    acts      faults of connections, rooms and the whole server
    refusals  what pages and the signing service answer under a fault
    playback  a plan on the air in place of made-up traffic: a recording, a workload
    broadcast one live: its clock, its history, its audience of sockets
    pages     what TikTok's web pages and the signing service answer
    push      one WebSocket of one client
    routes    the HTTP side, and ``/sim/*`` to steer it
    server    all of it on one port, and a thread to run it in
    command   ``toolkit simulate``

Every person, name and text is invented. Nothing here contacts anybody: the
server listens on 127.0.0.1 only, and avatar addresses end in ``.invalid``.
What TikTok's servers do between the messages (cursors, history, the signer's
answers) is modelled on captures where there are any, and a guess elsewhere.
"""
