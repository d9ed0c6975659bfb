-- Combo tags: what each is made of, and how far its members have been computed.

create table combo_tag (
    channel_id bigint not null references channel,
    tag_id     int not null,
    expression text not null,
    generation int not null default 1,
    next_block int default 0,
    started_at timestamptz,
    as_of      timestamptz,
    primary key (channel_id, tag_id)
) with (fillfactor = 50);
comment on column combo_tag.expression is 'A number for a tag, ["ALL", …], ["ANY", …] or ["EXCEPT", from, remove] for the rest.';
comment on column combo_tag.generation is 'Grows whenever its members must be computed afresh; what an older computation brings is void.';
comment on column combo_tag.next_block is 'The first block that has not been computed; null when all have.';
comment on column combo_tag.started_at is 'When this generation began to be computed.';
comment on column combo_tag.as_of is 'Every change committed before this instant is included; null until it was first ACTIVE.';

alter table channel_state add column combos_epoch bigint not null default 0;
alter table block_head add column combos_epoch bigint not null default 0;
comment on column channel_state.combos_epoch is 'Grows when combos must be computed again in every block, whether it changed or not.';
comment on column block_head.combos_epoch is 'Together with combos_version: what the combos of the block were last computed from.';
