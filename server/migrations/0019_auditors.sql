-- The permission shows events and manages nothing: its name says so now.
update roles set permissions = array_replace(permissions, 'manageServer', 'viewEvents'), version = version + 1
  where 'manageServer' = any(permissions);
