-- Tags that are merged into others: whose the keys and batches of a merged tag are, and which merges are under way.

alter table tag
    add column merged_into int,
    add column merging_into int,
    add column merging_from int,
    add constraint tag_merged check (merged_into is null or deleted_at is not null);
comment on column tag.merged_into is 'The tag that has the members and keys of this one, which is deleted; that one may be merged itself.';
comment on column tag.merging_into is 'The tag that this one is being merged into: whoever gets this one gets that one, too.';
comment on column tag.merging_from is 'The tag that is being merged into this one: whoever has that one keeps this one.';

-- Processes of the release before insert keys without naming an owner.
alter table return_tag
    add column given_to int,
    add column owner_tag_id int not null generated always as (coalesce(given_to, tag_id)) stored;
create index return_tag_of_owner on return_tag (channel_id, owner_tag_id);
comment on column return_tag.given_to is 'The tag that the one with the key was merged into last; null: none.';
comment on column return_tag.owner_tag_id is 'The tag that has the key, and what came by it: itself, or the one that it was merged into.';
comment on column return_batch.tag_id is 'The tag that the key was made for by which the batch came; return_tag tells whose it is.';
comment on column return_support.tag_id is 'As in return_batch.';

create table tag_merge (
    channel_id    bigint not null references channel,
    job_id        int not null,
    from_tag_id   int not null,
    into_tag_id   int not null,
    added_ads     text[] not null default '{}',
    taking_back   boolean not null default false,
    primary key (channel_id, job_id)
);
comment on table tag_merge is 'Merges that are neither done nor taken back; at most one concerns a tag.';
comment on column tag_merge.added_ads is 'The ads that the tag merged into did not have before.';
comment on column tag_merge.taking_back is 'The job was cancelled or failed: members gained by it are taken away again.';
