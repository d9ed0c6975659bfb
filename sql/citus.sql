-- Distributes the tables over a Citus cluster. Run once, after `user-tags migrate`, on the coordinator.
select create_reference_table('robot');
select create_reference_table('channel');
select create_reference_table('touch_windows');
select create_distributed_table('channel_state', 'channel_id');
select create_distributed_table('channel_user', 'channel_id', colocate_with => 'channel_state');
select create_distributed_table('alarm', 'channel_id', colocate_with => 'channel_state');
select create_distributed_table('user_ad', 'channel_id', colocate_with => 'channel_state');
select create_distributed_table('tag', 'channel_id', colocate_with => 'channel_state');
select create_distributed_table('block_head', 'channel_id', colocate_with => 'channel_state');
select create_distributed_table('tag_members', 'channel_id', colocate_with => 'channel_state');
select create_distributed_table('tag_member_count', 'channel_id', colocate_with => 'channel_state');
select create_distributed_table('user_tag_change', 'channel_id', colocate_with => 'channel_state');
select create_distributed_table('bulk_tag_change', 'channel_id', colocate_with => 'channel_state');
select create_distributed_table('tag_change', 'channel_id', colocate_with => 'channel_state');
