import { Text } from '../page/text.tsx';
import css from './settings.module.css';

/** What is known, each with its name; what is empty is left out. */
export function Facts({ facts }: { readonly facts: readonly (readonly [string, string])[] }) {
  return (
    <dl className={css.facts}>
      {facts.map(
        ([name, value]) =>
          value !== '' && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <Text>{value}</Text>
              </dd>
            </div>
          ),
      )}
    </dl>
  );
}
