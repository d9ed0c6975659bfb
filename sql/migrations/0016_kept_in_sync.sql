-- Looks at linked tags: when, at which state of the channel, and when a sync was last begun by itself.

alter table remote_tag
    add column looked_revision bigint,
    add column looked_at timestamptz,
    add column agreed_at timestamptz,
    add column tried_at timestamptz;
comment on column remote_tag.linked_at is 'Nothing was known before of who has the remote tag.';
comment on column remote_tag.looked_revision is
    'Versions of the blocks and of the tag states, summed up, when what was known was last compared; null to look again.';
comment on column remote_tag.agreed_at is 'The look before the last, if both sides were still the same then; older if they were not.';
comment on column remote_tag.tried_at is 'When a look last began a sync of this tag.';

create index remote_tag_linked on remote_tag (channel_id) where remote_tag_id is not null;
create index remote_tag_failing on remote_tag (channel_id) where keep_in_sync and failing_since is not null;
