-- rules-version: 2
-- The rules of the default tags (docs/specification.md §4.1): facts, windows and an instant in, tags out. They are
-- pure, so that an event, a scheduled run and `user-tags verify` agree.
--
-- `user-tags migrate` replaces the functions after the versioned migrations. Raise the number in the first line with
-- every change of a rule: the next scheduled run then evaluates every block anew. Processes of the release before call
-- the new functions at once, so a signature never changes: another one is a new function beside the old one, which a
-- versioned migration drops a release later.

-- Tell whether a user follows an Official Account. Only followers can write, click or scan, so doing so after the last
-- unfollow implies following. WeChat's times are whole seconds, so the fraction of an unfollow does not count, and in one
-- second following wins. Cutting one side is enough: a time is not before a whole second exactly if its own second is not.
create or replace function follows(f facts) returns boolean
language sql immutable parallel safe
return coalesce(
    greatest(f.followed_at, f.messaged_at, f.clicked_at, f.scanned_at)
        >= coalesce(date_trunc('second', f.unfollowed_at at time zone 'UTC') at time zone 'UTC', '-infinity'),
    false
);

-- Return when the last window of a user closes, however long ago; null if nothing ever opened one.
create or replace function touchable_until(f facts, w touch_windows) returns timestamptz
language sql stable parallel safe
return greatest(
    f.followed_at + w.follow,
    f.clicked_at + w.menu_click,
    f.scanned_at + w.scan,
    f.messaged_at + w.message,
    f.paid_at + w.payment
);

-- Tell whether a user has default tags at all: in a Mini Program if they have used it, otherwise if they follow.
create or replace function in_default_tags(f facts, mini_program boolean) returns boolean
language sql immutable parallel safe
return case
    when mini_program then num_nonnulls(f.messaged_at, f.clicked_at, f.scanned_at, f.paid_at) > 0
    else follows(f)
end;

-- Return the default tags of a user at an instant as a mask: bit r - 1 stands for the default tag r of DefaultTagRule.
create or replace function default_rules(
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

-- Return when the default tags of a user change next if nothing happens; null for never.
create or replace function next_boundary(
    f facts, mini_program boolean, w touch_windows, now timestamptz
) returns timestamptz
language sql stable parallel safe
return case
    when not in_default_tags(f, mini_program) then null
    else least(
        case when touchable_until(f, w) > now then touchable_until(f, w) end,
        case when not mini_program and f.followed_at + w.new_user > now then f.followed_at + w.new_user end
    )
end;

-- Return the mask that a user's bits of the eight default tags show; null is a tag that no user of the block has.
create or replace function rules_at(
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
