-- People whom a return tag has from a tag of the Official Account that it took over.

alter table return_batch drop constraint return_batch_source;
alter table return_batch add constraint return_batch_source check (source in ('GRAPHQL', 'HTTP', 'OFFICIAL_ACCOUNT'));
