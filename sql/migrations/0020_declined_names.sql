-- Names of ours that the Official Account cannot have, so that nobody tries again and again to give them.

alter table remote_tag add column declined_name text;
comment on column remote_tag.declined_name is
    'What our tag was called when the last sync left the remote one its own name, as ours is taken or too long there.';
