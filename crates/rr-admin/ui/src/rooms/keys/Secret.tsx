// The one moment in which a key can be read.

import { Button, Group, Stack, TextInput, VisuallyHidden } from '@mantine/core';
import { useEffect, useId, useRef, useState } from 'react';

import { CopyIcon, DoneIcon } from '../../parts/icons';
import styles from './keys.module.css';

interface SecretProps {
  secret: string;
  /** What to do about a lost secret. */
  whenLost: string;
  done: () => void;
}

export function Secret({ secret, whenLost, done }: SecretProps) {
  const warning = useId();
  const field = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const [copied, setCopied] = useState<'not yet' | 'yes' | 'failed'>('not yet');

  // The form that stood here had the focus and is gone with it.
  useEffect(() => button.current?.focus(), []);

  const copy = async () => {
    field.current?.select();
    setCopied((await toClipboard(secret)) ? 'yes' : 'failed');
  };

  return (
    <Stack gap="sm">
      <p id={warning} className={styles.warning}>
        <strong>Copy this key now.</strong> It is shown once and is stored nowhere, not even on the server. If it gets
        lost, {whenLost}.
      </p>
      <Group gap="xs" wrap="nowrap" align="flex-end">
        <TextInput
          ref={field}
          label="Your new key"
          readOnly
          value={secret}
          onFocus={(event) => event.currentTarget.select()}
          classNames={{ root: styles.secret, input: styles.secretText }}
        />
        <Button
          ref={button}
          variant="light"
          aria-describedby={warning}
          leftSection={copied === 'yes' ? <DoneIcon /> : <CopyIcon />}
          onClick={() => void copy()}
        >
          {copied === 'yes' ? 'Copied' : 'Copy'}
        </Button>
      </Group>
      {copied === 'failed' && (
        <p role="alert" className={styles.question}>
          The browser did not let the panel copy it. The key is selected: copy it by hand.
        </p>
      )}
      <VisuallyHidden role="status">{copied === 'yes' ? 'The key is in the clipboard.' : ''}</VisuallyHidden>
      <Group justify="flex-end">
        <Button onClick={done}>I have stored it</Button>
      </Group>
    </Stack>
  );
}

async function toClipboard(text: string): Promise<boolean> {
  try {
    // Absent on pages that came over plain http; then, and when it is refused, the reader copies by hand.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
