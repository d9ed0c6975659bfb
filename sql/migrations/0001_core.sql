-- Robots, channels, users, facts, tags as bitmaps in blocks, and the change logs.
-- Ready for Citus: every tenant table carries channel_id in its key (sql/citus.sql distributes them);
-- robot, channel and touch_windows become reference tables and hold only what rarely changes.

create table robot (
    robot_id   text primary key,
    created_at timestamptz not null,
    constraint robot_id_form check (robot_id ~ '^[A-Za-z0-9_.:-]{1,128}$')
);

create table channel (
    channel_id       bigint generated always as identity primary key,
    robot_id         text not null references robot,
    kind             text not null,
    app_id           text not null,
    name             text not null,
    verified         boolean not null,
    bound_at         timestamptz not null,
    unbound_at       timestamptz,
    app_secret       bytea,
    callback_token   bytea,
    encoding_aes_key bytea,
    push_secret      bytea not null,
    push_secret_hash bytea not null,
    constraint channel_kind check (kind in ('SERVICE_ACCOUNT', 'SUBSCRIPTION_ACCOUNT', 'MINI_PROGRAM')),
    constraint channel_of_robot unique (robot_id, app_id),
    constraint channel_push_secret unique (push_secret_hash)
);
comment on column channel.bound_at is 'First binding, in whole seconds; kept when the app id is bound again.';
comment on column channel.app_secret is 'Sealed, like callback_token, encoding_aes_key and push_secret.';

create unique index channel_app_id_bound on channel (app_id) where unbound_at is null;

create table touch_windows (
    version    int primary key,
    follow     interval not null,
    menu_click interval not null,
    scan       interval not null,
    message    interval not null,
    payment    interval not null,
    new_user   interval not null,
    set_at     timestamptz not null
);
comment on table touch_windows is 'How long an event keeps a user touchable or new; the highest version counts.';

insert into touch_windows values (1, '1 h', '1 h', '1 h', '48 h', '48 h', '48 h', '-infinity');

create table channel_state (
    channel_id         bigint primary key references channel,
    open               boolean not null default false,
    tag_version        bigint not null default 0,
    tag_version_at     timestamptz not null,
    tag_base_version   bigint not null default 0,
    tag_base_at        timestamptz not null,
    next_ordinal       int not null default 0,
    next_tag_id        int not null default 9,
    user_count         int not null default 0,
    default_tags_as_of timestamptz not null,
    last_push_at       timestamptz
) with (fillfactor = 50);
comment on column channel_state.open is 'The gate: this channel is bound, and so is a verified Official Account of its robot.';
comment on column channel_state.tag_version is 'Counts what changes for everybody without a bit changing: states, names, the gate.';
comment on column channel_state.tag_base_version is 'The newest version no longer in tag_change.';

create table channel_user (
    channel_id     bigint not null references channel,
    ordinal        int not null,
    openid         text not null,
    unionid        text,
    first_seen_at  timestamptz not null,
    followed_at    timestamptz,
    unfollowed_at  timestamptz,
    messaged_at    timestamptz,
    clicked_at     timestamptz,
    scanned_at     timestamptz,
    paid_at        timestamptz,
    ad_followed_at timestamptz,
    wake_at        timestamptz,
    primary key (channel_id, ordinal),
    constraint channel_user_openid unique (channel_id, openid)
) with (fillfactor = 80);
comment on column channel_user.ordinal is 'Never reused; block = ordinal / 32000, offset = ordinal % 32000.';
comment on column channel_user.followed_at is 'A maximum, like every fact: late and repeated events change nothing they should not.';
comment on column channel_user.wake_at is
    'An instant not after the next boundary of a default tag; one that is not after block_head.evaluated_at is spent.';

create index channel_user_wake on channel_user (channel_id, (ordinal / 32000), wake_at) where wake_at is not null;

create table user_ad (
    channel_id  bigint not null references channel,
    ordinal     int not null,
    ad_id       text not null,
    followed_at timestamptz not null,
    primary key (channel_id, ordinal, ad_id)
);

create table tag (
    channel_id  bigint not null references channel,
    tag_id      int not null,
    kind        text not null,
    category    text not null,
    name        text not null,
    description text,
    state       text not null,
    version     int not null default 1,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    deleted_at  timestamptz,
    primary key (channel_id, tag_id),
    constraint tag_kind check (kind in ('DEFAULT', 'RETURN', 'AD', 'COMBO')),
    constraint tag_state check (state in ('PENDING', 'ACTIVE', 'LAPSED'))
);
comment on column tag.tag_id is 'Counted per channel; 1 to 8 are the default tags, in the order of DefaultTagRule.';

create unique index tag_name_taken on tag (channel_id, category, name) where deleted_at is null;

create table block_head (
    channel_id      bigint not null references channel,
    block           int not null,
    version         bigint not null default 0,
    at              timestamptz not null,
    evaluated_at    timestamptz not null,
    latest_at       timestamptz not null,
    windows_version int not null,
    combos_version  bigint not null default 0,
    base_version    bigint not null default 0,
    base_at         timestamptz not null,
    primary key (channel_id, block)
) with (fillfactor = 50);
comment on column block_head.version is 'Grows by one with each change of the block, in commit order.';
comment on column block_head.evaluated_at is 'Every user of the block has been evaluated at this instant or later.';
comment on column block_head.latest_at is
    'No evaluation of the block that shows was at a later instant than this, and none to come is at an earlier one.';
comment on column block_head.base_version is 'The newest version no longer in the change log.';

-- Two versions of a row share a page, so flipping a bit is a HOT update; any further column would undo that.
create table tag_members (
    channel_id bigint not null,
    block      int not null,
    tag_id     int not null,
    members    bit(32000) not null,
    primary key (channel_id, block, tag_id)
) with (fillfactor = 50, toast_tuple_target = 8160);

create table tag_member_count (
    channel_id bigint not null,
    block      int not null,
    tag_id     int not null,
    members    int not null,
    at         timestamptz not null,
    primary key (channel_id, block, tag_id)
) with (fillfactor = 50);

create table user_tag_change (
    channel_id  bigint not null,
    block       int not null,
    version     bigint not null,
    user_offset smallint not null,
    at          timestamptz not null,
    cause       text not null,
    added       int[] not null,
    removed     int[] not null,
    primary key (channel_id, block, version, user_offset)
);
create index user_tag_change_of_user on user_tag_change (channel_id, block, user_offset, version);

create table bulk_tag_change (
    channel_id      bigint not null,
    block           int not null,
    version         bigint not null,
    tag_id          int not null,
    at              timestamptz not null,
    cause           text not null,
    added_offsets   smallint[],
    removed_offsets smallint[],
    added           bit(32000),
    removed         bit(32000),
    primary key (channel_id, block, version, tag_id)
);
comment on table bulk_tag_change is 'A change of many users: offsets up to a few hundred, bits above; an empty side is null.';

create table tag_change (
    channel_id   bigint not null,
    version      bigint not null,
    tag_id       int not null,
    at           timestamptz not null,
    kind         text not null,
    cause        text,
    shown_before boolean not null,
    shown_after  boolean not null,
    primary key (channel_id, version, tag_id),
    constraint tag_change_kind check (kind in ('CREATED', 'UPDATED', 'STATE_CHANGED', 'DELETED', 'GATE'))
);
comment on column tag_change.tag_id is '0 for the gate, which concerns every tag of the channel.';

-- The rules: facts and an instant in, tags out. Pure, so that an event, a scheduled run and `verify` agree.

create type facts as (
    followed_at    timestamptz,
    unfollowed_at  timestamptz,
    messaged_at    timestamptz,
    clicked_at     timestamptz,
    scanned_at     timestamptz,
    paid_at        timestamptz,
    ad_followed_at timestamptz
);

-- Only followers can write, click or scan, so doing so after the last unfollow implies following; a tie follows.
create function follows(f facts) returns boolean
language sql immutable parallel safe
return coalesce(
    greatest(f.followed_at, f.messaged_at, f.clicked_at, f.scanned_at) >= coalesce(f.unfollowed_at, '-infinity'),
    false
);

create function touchable_until(f facts, w touch_windows) returns timestamptz
language sql stable parallel safe
return greatest(
    f.followed_at + w.follow,
    f.clicked_at + w.menu_click,
    f.scanned_at + w.scan,
    f.messaged_at + w.message,
    f.paid_at + w.payment
);

create function in_default_tags(f facts, mini_program boolean) returns boolean
language sql immutable parallel safe
return case
    when mini_program then num_nonnulls(f.messaged_at, f.clicked_at, f.scanned_at, f.paid_at) > 0
    else follows(f)
end;

-- Bit r - 1 stands for the default tag r.
create function default_rules(
    f facts, mini_program boolean, bound_at timestamptz, w touch_windows, now timestamptz
) returns int
language sql stable parallel safe
return case
    when not in_default_tags(f, mini_program) then 0
    else (case when f.messaged_at >= bound_at then 4 else 8 end)
        | (case when touchable_until(f, w) > now then 16 else 32 end)
        | (case
            when mini_program then 0
            else (case when f.followed_at + w.new_user > now then 1 else 2 end)
                | (case when f.ad_followed_at >= bound_at then 64 else 128 end)
        end)
end;

-- When the default tags change next if nothing happens; null for never.
create function next_boundary(f facts, mini_program boolean, w touch_windows, now timestamptz) returns timestamptz
language sql stable parallel safe
return case
    when not in_default_tags(f, mini_program) then null
    else least(
        case when touchable_until(f, w) > now then touchable_until(f, w) end,
        case when not mini_program and f.followed_at + w.new_user > now then f.followed_at + w.new_user end
    )
end;

-- The rules mask of one user, read from the bits of the eight default tags; a null is a tag nobody of the block has.
create function rules_at(
    user_offset int,
    t1 bit, t2 bit, t3 bit, t4 bit, t5 bit, t6 bit, t7 bit, t8 bit
) returns int
language sql immutable parallel safe
return coalesce(get_bit(t1, user_offset), 0)
    | coalesce(get_bit(t2, user_offset) << 1, 0)
    | coalesce(get_bit(t3, user_offset) << 2, 0)
    | coalesce(get_bit(t4, user_offset) << 3, 0)
    | coalesce(get_bit(t5, user_offset) << 4, 0)
    | coalesce(get_bit(t6, user_offset) << 5, 0)
    | coalesce(get_bit(t7, user_offset) << 6, 0)
    | coalesce(get_bit(t8, user_offset) << 7, 0);

create view user_facts as
select channel_id, ordinal, wake_at,
    row(followed_at, unfollowed_at, messaged_at, clicked_at, scanned_at, paid_at, ad_followed_at)::facts as facts
from channel_user;

create view current_windows as
select w from touch_windows w order by version desc limit 1;

-- Read it through a materialized CTE: each bitmap is then fetched once, not once a user.
create view default_tag_bits as
select channel_id, block,
    (select members from tag_members m where m.channel_id = h.channel_id and m.block = h.block and tag_id = 1) as t1,
    (select members from tag_members m where m.channel_id = h.channel_id and m.block = h.block and tag_id = 2) as t2,
    (select members from tag_members m where m.channel_id = h.channel_id and m.block = h.block and tag_id = 3) as t3,
    (select members from tag_members m where m.channel_id = h.channel_id and m.block = h.block and tag_id = 4) as t4,
    (select members from tag_members m where m.channel_id = h.channel_id and m.block = h.block and tag_id = 5) as t5,
    (select members from tag_members m where m.channel_id = h.channel_id and m.block = h.block and tag_id = 6) as t6,
    (select members from tag_members m where m.channel_id = h.channel_id and m.block = h.block and tag_id = 7) as t7,
    (select members from tag_members m where m.channel_id = h.channel_id and m.block = h.block and tag_id = 8) as t8
from block_head h;
