-- Who sees what: an unverified subscription account is closed by itself, receipts say whose openids they list, and
-- people who are forgotten can be found in exported files.

with closed as (
    update channel_state s
    set open = false, tag_version = s.tag_version + 1, tag_version_at = greatest(s.tag_version_at, now())
    from channel c
    where c.channel_id = s.channel_id and s.open and c.kind = 'SUBSCRIPTION_ACCOUNT' and not c.verified
    returning s.channel_id, s.tag_version, s.tag_version_at
)
insert into tag_change (channel_id, version, tag_id, at, kind, shown_before, shown_after)
select channel_id, tag_version, 0, tag_version_at, 'GATE', true, false from closed;

comment on column channel_state.open is
    'The gate: this channel is bound and no unverified subscription account, and a verified Official Account of its robot is bound.';

alter table return_batch add column openids_of bigint;
comment on column return_batch.openids_of is
    'The channel of the openids in unmatched; null where none were converted, and in receipts from before this column.';
create index return_batch_unmatched on return_batch (channel_id, batch_id) where unmatched <> '{}';

alter table export_chunk add column first_block int;
comment on column export_chunk.first_block is 'The block of its first people; null in files from before this column.';
