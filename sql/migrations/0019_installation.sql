-- Which installation may call WeChat by this database, so that a copy of it does not.

create table installation (
    acting      boolean not null,
    public_url  text not null,
    since       timestamptz not null,
    primary key (acting),
    constraint installation_once check (acting)
);
comment on table installation is 'One row, from when a process that may act first ran on this database.';
comment on column installation.public_url is 'Under another one no call to WeChat is made; `user-tags acting --confirm` changes it.';
