-- Views that every reader of a recording has. They are made when it is opened and are not
-- in the file: a file that brings its own views is refused, for a view can read anything.

-- Comments that TikTok has not withdrawn, by themselves or with their author.
CREATE TEMP VIEW public_comments AS
SELECT comments.* FROM comments
WHERE msg_id NOT IN (SELECT target_id FROM tombstones WHERE scope = 'message')
  AND NOT EXISTS (
    SELECT 1 FROM tombstones AS t
    WHERE t.scope = 'user' AND t.target_id = comments.user_id AND t.seq > comments.seq
  );

-- The last that was said of each pinned message: action 1 is still pinned, 2 no longer.
CREATE TEMP VIEW last_pins AS
SELECT * FROM pins QUALIFY row_number() OVER (PARTITION BY pinned_msg_id ORDER BY seq DESC) = 1;

-- The last state of each poll; its end wins, whatever arrived after it.
CREATE TEMP VIEW last_polls AS
SELECT * FROM polls QUALIFY row_number() OVER (PARTITION BY poll_id ORDER BY stage = 1 DESC, seq DESC) = 1;

-- The last state of each battle; its finish (5) wins.
CREATE TEMP VIEW last_battles AS
SELECT * FROM battles QUALIFY row_number() OVER (PARTITION BY battle_id ORDER BY action = 5 DESC, seq DESC) = 1;

-- The last scores of each battle.
CREATE TEMP VIEW last_battle_scores AS
SELECT * FROM battle_scores QUALIFY row_number() OVER (PARTITION BY battle_id ORDER BY seq DESC) = 1;
