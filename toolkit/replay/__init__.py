"""
Recorded lives, played back through the code that runs a live.

    player          a plan's frames, in time, onto the bus; pause, seek, speed and more
    clock           where it stands: absolute, without drift; time that tests own
    course          frames, lost connections, cues and the end, in order
    entering        getting to a place without playing what lies before it
    ahead           reads the plan in a thread of its own, ahead of the player
    tap             where frames go in: for those who watch, or into a scratch recording
    recording_plan  a sealed recording as a plan: gaps as they were, or healed
    clip            a part of a plan as a plan
    workload        plans nobody recorded: made up, mixed, repeated, as if it happened now
    amplify         N times the viewers, in the bursts in which it really came
    variation       comments that resemble real ones without repeating them
    faulty          a plan whose frames meet faults
    served          what the simulator is given to play
    priming         what somebody has to know who enters in the middle
    timeline        what a transport bar draws
    connection      the recorder's notices, for breaks
    lateness        how late frames were sent
    progress        how far it is
    options         what a request or a command line may ask for, checked
    rehearsal       the one replay of a process, under control
    headless        a replay without a server
    digest          what a replay put out, as one hash

Plays on the bus of the process it runs in, marked as a rehearsal; never writes to
the recording it plays. Decides nothing by chance: the same plan and the same controls
by place put out the same, at every speed.
"""
