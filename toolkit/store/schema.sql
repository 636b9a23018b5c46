-- The tables of a recording. This file is the contract with everybody who writes SQL.
--
-- Times are TIMESTAMP: UTC, microseconds, no zone. `occurred_at` is TikTok's clock
-- (NULL where TikTok gave none), `received_at` ours. Ids are TikTok's numbers;
-- 0 means that TikTok gave none. Texts come from viewers: they are data, never markup.
--
-- One table per kind of event. Their columns are the fields of the class of the same
-- name in toolkit/model/event.py, in the same order; a test holds them together.
-- `seq` is the position in the recording: 1, 2, 3 ... over all messages. It joins
-- every event to its row in `messages`, where its bytes are.
--
-- No table has a unique index: they cost 9 to 45 bytes a row, a duplicate would
-- abort a whole batch, and numbering already happens in one place.

-- Facts about the recording, as text: recording_id, user, started_at, ended_at, state,
-- format_version, versions of what wrote it, and the totals it was sealed with.
-- note_stability is JSON: how steady the connection was.
CREATE TABLE meta (
  key VARCHAR NOT NULL,
  value VARCHAR NOT NULL
);

-- Connected stretches, in order.
CREATE TABLE segments (
  segment_id BIGINT NOT NULL,   -- 1, 2, 3 ...
  room_id BIGINT NOT NULL,       -- TikTok's id of the broadcast
  started_at TIMESTAMP NOT NULL,
  ended_at TIMESTAMP,            -- last moment observed: its last frame, or its orderly end
  cause VARCHAR,                 -- why it ended: live_ended, stopped, process_died, closed ...
  noticed_at TIMESTAMP,          -- when its end was noticed; NULL when nobody was left to notice
  attempts INTEGER               -- attempts it took to connect; 0 if nobody counted
);

-- Stretches nobody observed, between two segments, and the one in which a recording ended.
-- `missed` says per kind (comment, like, join, follow, share, gift, diamond) how much is
-- missing: {"comment": {"estimate": 38, "low": 31, "high": 47, "quality": "estimated"}, ...}.
-- quality: exact, estimated (the truth is within the bounds in at least 95 %), lost.
-- Likes and joins are TikTok's own totals: all of them, not only those it tells of.
CREATE TABLE gaps (
  gap_id INTEGER NOT NULL,             -- 1, 2, 3 ...
  started_at TIMESTAMP NOT NULL,       -- last moment observed before it
  ended_at TIMESTAMP,                  -- first moment observed after it; NULL: none was
  cause VARCHAR NOT NULL,
  recovered_comments INTEGER NOT NULL, -- comments TikTok replayed after it
  missed VARCHAR NOT NULL,             -- JSON, see above
  detected_at TIMESTAMP,               -- when it was noticed; silence is noticed late
  attempts INTEGER,                    -- attempts it took to connect again; 0 if nobody counted
  last_frame_no BIGINT,                -- the last frame before it
  first_frame_no BIGINT,               -- the first frame after it; 0: none
  last_occurred_at TIMESTAMP,          -- newest time on TikTok's clock seen before it
  first_occurred_at TIMESTAMP,         -- TikTok's time of the first message after it that is no replay
  counters VARCHAR                     -- JSON: TikTok's own totals, {"likes": {"before", "after"}, ...}
);

-- One row per frame that TikTok pushed, with everything a replay needs to push it again.
CREATE TABLE frames (
  frame_no BIGINT NOT NULL,         -- 1, 2, 3 ... over the recording
  segment_id BIGINT NOT NULL,
  kind TINYINT NOT NULL,            -- 1 pushed by the socket, 2 the answer that opened the connection, 3 too large to be kept
  payload_type VARCHAR NOT NULL,    -- msg carries messages; hb, ack, im_enter_room_resp do not
  push_seq BIGINT NOT NULL,         -- TikTok's count of frames on this connection: a hole is a lost frame
  log_id BIGINT NOT NULL,           -- what the acknowledgement named
  cursor VARCHAR NOT NULL,          -- TikTok's position
  received_at TIMESTAMP NOT NULL,
  received_mono_ns BIGINT NOT NULL, -- monotonic: the only clock to subtract; within one segment only
  size INTEGER NOT NULL,            -- bytes as pushed
  messages INTEGER NOT NULL,        -- new messages in it
  duplicates INTEGER NOT NULL,      -- messages left out because they were here before
  quarantined INTEGER NOT NULL      -- damaged parts, see the table quarantine
);

-- Every message, raw and never dropped: what no table below knows is still here.
CREATE TABLE messages (
  seq BIGINT NOT NULL,           -- 1, 2, 3 ... without holes
  segment_id BIGINT NOT NULL,
  room_id BIGINT NOT NULL,
  method VARCHAR NOT NULL,       -- TikTok's type, such as WebcastChatMessage
  msg_id BIGINT NOT NULL,        -- identity only: not a clock
  occurred_at TIMESTAMP,
  received_at TIMESTAMP NOT NULL,
  payload BLOB NOT NULL USING COMPRESSION zstd,  -- its protobuf bytes, untouched; 5x smaller on disk
  frame_no BIGINT NOT NULL,      -- the frame it came in
  is_history BOOLEAN NOT NULL    -- TikTok marked it as a replay of something older
);

-- What could not be read. The raw bytes of a damaged message are in `messages`.
CREATE TABLE quarantine (
  frame_no BIGINT NOT NULL,
  method VARCHAR NOT NULL,       -- empty when the whole frame is damaged
  reason VARCHAR NOT NULL,       -- gzip, oversize, wire, payload
  detail VARCHAR NOT NULL,
  sha256 VARCHAR NOT NULL,       -- of the damaged bytes
  size INTEGER NOT NULL,
  received_at TIMESTAMP NOT NULL
);

-- Viewers, one row per user_id (handles change, ids do not). Texts are the last ones
-- seen; flags say "at any time in this recording"; numbers are the highest seen.
CREATE TABLE users (
  user_id BIGINT NOT NULL,
  handle VARCHAR NOT NULL,       -- the @name, without the @
  nickname VARCHAR NOT NULL,
  sec_uid VARCHAR NOT NULL,
  avatar_url VARCHAR NOT NULL,   -- expires within days
  followers BIGINT NOT NULL,     -- 0 is also "not told"
  is_moderator BOOLEAN NOT NULL,
  is_subscriber BOOLEAN NOT NULL,
  is_follower BOOLEAN NOT NULL,
  fan_level BIGINT NOT NULL,
  gifter_level BIGINT NOT NULL,
  is_verified BOOLEAN NOT NULL,
  first_seen_at TIMESTAMP NOT NULL,  -- our clock
  last_seen_at TIMESTAMP NOT NULL
);

-- Chat comments.
CREATE TABLE comments (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  text VARCHAR NOT NULL,         -- empty when it consists of emotes only
  language VARCHAR NOT NULL,
  emotes VARCHAR NOT NULL,       -- ids of subscriber emotes, comma separated
  mentions VARCHAR NOT NULL,     -- user ids, comma separated
  is_history BOOLEAN NOT NULL    -- written before we connected
);

-- Messages made of subscriber emotes.
CREATE TABLE emotes (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  emotes VARCHAR NOT NULL
);

-- Gift messages. A streak is several rows with one group_id: repeat_count is cumulative,
-- so add up only final rows (repeat_end, or gift_type other than 1).
CREATE TABLE gifts (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  gift_id BIGINT NOT NULL,
  gift_name VARCHAR NOT NULL,
  diamonds BIGINT NOT NULL,      -- price of one
  gift_type BIGINT NOT NULL,     -- 1 can be streaked; 2 and 4 arrive once
  repeat_count BIGINT NOT NULL,
  repeat_end BOOLEAN NOT NULL,
  group_id BIGINT NOT NULL,
  to_user_id BIGINT NOT NULL,    -- the receiver in a room with guests; 0 is the host
  image_url VARCHAR NOT NULL
);

-- Each gift once, or each streak of them: what the messages in `gifts` add up to. Nothing
-- in it is counted twice, and a streak that ran across a gap is whole.
CREATE TABLE gift_ledger (
  first_seq BIGINT NOT NULL,     -- its first message
  last_seq BIGINT NOT NULL,      -- the last that changed it
  user_id BIGINT,
  to_user_id BIGINT NOT NULL,    -- the receiver in a room with guests; 0 is the host
  gift_id BIGINT NOT NULL,
  gift_name VARCHAR NOT NULL,
  gift_type BIGINT NOT NULL,
  group_id BIGINT NOT NULL,      -- the streak; 0 for single gifts
  diamonds BIGINT NOT NULL,      -- price of one
  count BIGINT NOT NULL,         -- how many were given
  diamonds_total BIGINT NOT NULL,
  state VARCHAR NOT NULL,        -- final; settled: its end never came; running: taps may follow
  is_across_gap BOOLEAN NOT NULL,
  started_at TIMESTAMP NOT NULL, -- our clock at its first message
  ended_at TIMESTAMP NOT NULL    -- our clock at the last that changed it
);

-- What TikTok withdrew, one row per message or user. The view public_comments, which every
-- reader of this toolkit has, is the table comments without them.
CREATE TABLE tombstones (
  seq BIGINT NOT NULL,           -- the notice, see deletions
  scope VARCHAR NOT NULL,        -- message; user: everything the user had written by then
  target_id BIGINT NOT NULL,     -- msg_id or user_id
  occurred_at TIMESTAMP,
  received_at TIMESTAMP NOT NULL
);

-- Batches of likes. Only a sample of all likes arrives (5 to 23 %).
CREATE TABLE likes (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  count BIGINT NOT NULL,         -- at most 15
  total BIGINT NOT NULL          -- the room's own count; not monotone, interleaved when co-hosted
);

-- Viewers entering. A sample: at most 6 to 8 per second arrive.
CREATE TABLE joins (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  action BIGINT NOT NULL,        -- 1 entered, 3 subscribed
  member_count BIGINT NOT NULL,
  source VARCHAR NOT NULL
);

-- Viewers who followed the host.
CREATE TABLE follows (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  follow_count BIGINT NOT NULL   -- the host's total after it
);

-- Viewers who shared the live.
CREATE TABLE shares (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  share_type BIGINT NOT NULL,
  share_target VARCHAR NOT NULL,
  share_count BIGINT NOT NULL
);

-- How many are watching.
CREATE TABLE viewer_counts (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  viewers BIGINT NOT NULL,       -- now
  viewers_total BIGINT NOT NULL, -- entries since the live began
  popularity BIGINT NOT NULL,
  anonymous BIGINT NOT NULL
);

-- Diamonds the room was given so far, told in rooms with guests or battles.
CREATE TABLE room_diamonds (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  total BIGINT NOT NULL
);

-- Questions asked through TikTok's Q&A.
CREATE TABLE questions (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  question_id BIGINT NOT NULL,
  text VARCHAR NOT NULL,
  status BIGINT NOT NULL
);

-- States of polls.
CREATE TABLE polls (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  poll_id BIGINT NOT NULL,
  stage BIGINT NOT NULL,         -- 0 start, 1 end, 2 update
  title VARCHAR NOT NULL,
  options VARCHAR NOT NULL       -- JSON: [{"index", "text", "votes"}]
);

-- Battles opened or finished.
CREATE TABLE battles (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  battle_id BIGINT NOT NULL,
  action BIGINT NOT NULL,        -- 4 open, 5 finish
  starts_at TIMESTAMP,
  duration_s BIGINT NOT NULL,
  results VARCHAR NOT NULL       -- JSON: [{"user_id", "result", "score"}]
);

-- Scores within a battle.
CREATE TABLE battle_scores (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  battle_id BIGINT NOT NULL,
  gift_id BIGINT NOT NULL,       -- what moved them
  gift_count BIGINT NOT NULL,
  diamonds_total BIGINT NOT NULL,
  armies VARCHAR NOT NULL        -- JSON: [{"host_id", "score"}]
);

-- Treasure chests.
CREATE TABLE envelopes (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  envelope_id VARCHAR NOT NULL,
  business_type BIGINT NOT NULL,
  display BIGINT NOT NULL,       -- 1 shown, 2 hidden
  sender_id BIGINT NOT NULL,
  sender_name VARCHAR NOT NULL,
  diamonds BIGINT NOT NULL,
  people BIGINT NOT NULL,
  opens_at TIMESTAMP
);

-- Subscriptions, bought or given.
CREATE TABLE subscriptions (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  months BIGINT NOT NULL,
  subscribe_type BIGINT NOT NULL,
  status BIGINT NOT NULL,
  is_gift BOOLEAN NOT NULL
);

-- Banners across the screen: level-ups, fan club, subscription gifts.
CREATE TABLE barrages (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  barrage_type BIGINT NOT NULL,
  content_key VARCHAR NOT NULL   -- TikTok's name of the text template
);

-- The host's goal moved.
CREATE TABLE goals (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  goal_id BIGINT NOT NULL,
  goal_type BIGINT NOT NULL,
  status BIGINT NOT NULL,
  description VARCHAR NOT NULL,
  progress BIGINT NOT NULL,
  target BIGINT NOT NULL,
  sub_goals VARCHAR NOT NULL,    -- JSON: [{"id", "type", "progress", "target", "gift_name"}]
  contributor_id BIGINT NOT NULL,
  contribution BIGINT NOT NULL
);

-- Messages pinned (action 1) or unpinned (2). user_id is who wrote the message.
CREATE TABLE pins (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  action BIGINT NOT NULL,
  pinned_msg_id BIGINT NOT NULL,
  pinned_method VARCHAR NOT NULL,
  text VARCHAR NOT NULL,
  pinned_at TIMESTAMP,
  display_s BIGINT NOT NULL,
  operator_id BIGINT NOT NULL
);

-- Messages that TikTok withdrew, or everything of some users. Comma-separated ids.
CREATE TABLE deletions (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  message_ids VARCHAR NOT NULL,
  user_ids VARCHAR NOT NULL
);

-- Live captions of what the host says. occurred_at is when the speech began.
CREATE TABLE captions (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  language VARCHAR NOT NULL,
  text VARCHAR NOT NULL,
  duration_ms BIGINT NOT NULL,
  sentence_id BIGINT NOT NULL,
  is_final BOOLEAN NOT NULL
);

-- The host's place in TikTok's rankings.
CREATE TABLE ranks (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  ranks VARCHAR NOT NULL         -- JSON: [{"type", "rank", "score", "countdown_s"}]
);

-- Notices of TikTok to the room, such as the welcome text.
CREATE TABLE room_messages (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  text VARCHAR NOT NULL,
  scene VARCHAR NOT NULL,
  source BIGINT NOT NULL
);

-- The live's own state: 1 paused, 2 resumed, 3 ended, 4 suspended.
CREATE TABLE controls (
  seq BIGINT NOT NULL, msg_id BIGINT NOT NULL, occurred_at TIMESTAMP, received_at TIMESTAMP NOT NULL, user_id BIGINT,
  action BIGINT NOT NULL,
  tips VARCHAR NOT NULL,
  reason BIGINT NOT NULL
);
