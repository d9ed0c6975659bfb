-- name: insert_robot
-- A robot exists from its first bindChannel.
insert into robot (robot_id, created_at) values ($1, $2) on conflict do nothing;

-- name: lock_robot
-- Serialises bindings of one robot, so that its gate is computed from all its channels.
select robot_id from robot where robot_id = $1 for update;
