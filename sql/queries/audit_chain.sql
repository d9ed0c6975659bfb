-- name: channels_with_unsealed_entries
-- List the channels, each with its robot, that have acts from before $1 to seal, or refusals of a minute before $2. What
-- is dated after $3 is due as well: the clock has jumped back since, and nothing is to lie unsealed until it is there again.
select distinct c.robot_id, e.channel_id
from audit_entry e
join channel c on c.channel_id = e.channel_id
where e.number is null and (e.at <= $1 or e.at > $3) and (e.minute is null or e.minute <= $2 or e.minute > $3);

-- name: oldest_unsealed_entry
-- Return the time of the oldest entry of all robots that is not sealed; null where all are.
select min(at) from audit_entry where number is null;

-- name: count_unsealed_entries
-- Count the entries of some channels from before $2 that are not sealed.
select count(*)::int from audit_entry where channel_id = any($1::bigint[]) and number is null and at < $2;

-- name: begin_audit_chain
-- Begin the chain of a robot in its home channel.
insert into audit_chain (channel_id) values ($1) on conflict do nothing;

-- name: audit_chain
-- Return the ends of a chain by the home channel.
select * from audit_chain where channel_id = $1;

-- name: lock_audit_chain
-- Return and lock the ends of a chain, so that one process at a time seals or prunes it; nothing while another does.
select * from audit_chain where channel_id = $1 for update skip locked;

-- name: lock_unsealed_entries
-- Return and lock the oldest entries of a channel that are due, so that no refusal is counted in them any more.
select *
from audit_entry
where channel_id = $1 and number is null and (at <= $2 or at > $4) and (minute is null or minute <= $3 or minute > $4)
order by at, entry_id
limit $5
for update skip locked;

-- name: seal_entries
-- Give locked entries their numbers and hashes.
update audit_entry e
set number = sealed.number, hash = sealed.hash
from unnest($2::bigint[], $3::bigint[], $4::bytea[]) as sealed (entry_id, number, hash)
where e.channel_id = $1 and e.entry_id = sealed.entry_id and e.number is null;

-- name: advance_audit_chain
-- Record the last entry of a chain.
update audit_chain set last_number = $2, last_hash = $3 where channel_id = $1;

-- name: sealed_entries
-- Return entries of a channel with numbers above $2 and up to $3.
select * from audit_entry where channel_id = $1 and number > $2 and number <= $3;

-- name: first_number_after
-- Return the lowest number of a channel above $2; null where there is none.
select min(number) from audit_entry where channel_id = $1 and number > $2;

-- name: foreign_numbers
-- Return numbers of a channel that no entry of the chain can have: up to $2, the base, and above $3, the last.
select number from audit_entry
where channel_id = $1 and number is not null and (number <= $2 or number > $3)
order by number
limit $4;

-- name: delete_sealed_entries
-- Delete the entries of a channel up to a number.
delete from audit_entry where channel_id = $1 and number <= $2;

-- name: move_audit_base
-- Record the last entry that was deleted: the chain goes on from it.
update audit_chain set base_number = $2, base_hash = $3 where channel_id = $1;
