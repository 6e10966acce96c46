// The rate limits of a key in a form: as many rows as limits, each with a name.

import { Button, Fieldset, NativeSelect, TextInput } from '@mantine/core';

import styles from './keys.module.css';
import { type LimitDraft, MOST_LIMITS, newLimit, type Unit } from './limits';

const UNITS: { value: Unit; label: string }[] = [
  { value: 'second', label: 'seconds' },
  { value: 'minute', label: 'minutes' },
  { value: 'hour', label: 'hours' },
  { value: 'day', label: 'days' },
];

interface LimitsFieldProps {
  limits: LimitDraft[];
  change: (limits: LimitDraft[]) => void;
}

export function LimitsField({ limits, change }: LimitsFieldProps) {
  return (
    <Fieldset variant="unstyled" legend="Rate limits">
      <p className={styles.remark}>
        {limits.length === 0 ? 'The key may be used as often as anybody likes.' : 'A request must fit into all of them.'}
      </p>
      {limits.map((limit, place) => (
        <LimitRow
          // Rows have no identity of their own: what stands in them is all there is.
          // oxlint-disable-next-line react/no-array-index-key
          key={place}
          label={`Limit ${place + 1}`}
          limit={limit}
          change={(changed) => change(limits.with(place, { ...limit, ...changed }))}
          remove={() => change(limits.toSpliced(place, 1))}
        />
      ))}
      {limits.length < MOST_LIMITS && (
        <Button size="compact-xs" variant="default" mt="xs" onClick={() => change([...limits, newLimit(limits)])}>
          Add a limit
        </Button>
      )}
    </Fieldset>
  );
}

interface LimitRowProps {
  label: string;
  limit: LimitDraft;
  change: (changed: Partial<LimitDraft>) => void;
  remove: () => void;
}

function LimitRow({ label, limit, change, remove }: LimitRowProps) {
  const number = { type: 'number', min: 1, step: 1, required: true, withAsterisk: false, size: 'xs' } as const;
  return (
    <div role="group" aria-label={label} className={styles.limit}>
      <TextInput
        label="Name"
        size="xs"
        required
        withAsterisk={false}
        maxLength={16}
        pattern="[a-z0-9_\-]+"
        title="Lower-case letters, digits, - and _"
        value={limit.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      <TextInput
        {...number}
        label="Requests"
        value={limit.uses}
        onChange={(event) => change({ uses: event.currentTarget.value })}
      />
      <TextInput
        {...number}
        label="In"
        value={limit.length}
        onChange={(event) => change({ length: event.currentTarget.value })}
      />
      <NativeSelect
        aria-label="Unit"
        size="xs"
        data={UNITS}
        value={limit.unit}
        onChange={(event) => change({ unit: event.currentTarget.value as Unit })}
      />
      <Button size="xs" variant="default" onClick={remove} aria-label={`Remove ${label.toLowerCase()}`}>
        Remove
      </Button>
    </div>
  );
}
