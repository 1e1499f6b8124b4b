import { Field, TextLine } from '../page/fields.tsx';
import { m } from './messages.ts';
import { Checks, sentenceOf } from './parts.tsx';
import { whoAmI, type RoleDraft } from './queries.ts';
import { beyond } from './rules.ts';

interface Props {
  readonly draft: RoleDraft;
  readonly onChange: (draft: RoleDraft) => void;
}

/** Name, description and permissions of a role. Permissions that the current user lacks cannot be granted. */
export function RoleFields({ draft, onChange }: Props) {
  return (
    <>
      <div className="fields">
        <TextLine
          label={m.people.name}
          hint={m.roles.nameHint}
          value={draft.name}
          isFirst
          isRequired
          onChange={(name) => onChange({ ...draft, name })}
        />
        <Field label={m.people.description}>
          {(id) => (
            <textarea
              id={id}
              rows={2}
              value={draft.description}
              maxLength={4000}
              onChange={({ target }) => onChange({ ...draft, description: target.value })}
            />
          )}
        </Field>
      </div>
      <Checks
        label={m.roles.grants}
        all={known(draft.permissions).map(checkOf)}
        chosen={draft.permissions}
        onChange={(permissions) => onChange({ ...draft, permissions })}
      />
    </>
  );
}

/** All known permissions, and those that a later version has granted. */
function known(granted: readonly string[]): readonly string[] {
  return [...new Set([...Object.keys(m.people.permissions), ...granted])];
}

function checkOf(permission: string) {
  const isMine = beyond(whoAmI(), [permission]).length === 0;
  return {
    key: permission,
    name: sentenceOf(permission),
    hint: permission,
    obstacle: isMine ? undefined : m.people.beyond(permission),
  };
}
