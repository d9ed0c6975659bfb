-- A scheduled run says its instant before it looks for what is due. An event that locks its block after the look, in a
-- block the run has no reason to visit, is then evaluated no earlier, however far behind its host's clock is.

alter table channel_state add column default_tags_run_at timestamptz not null default timestamptz '1970-01-01 00:00:00Z';
comment on column channel_state.default_tags_run_at is
    'The instant of the newest scheduled run that has begun; whoever locks a block from now on evaluates it no earlier.';
