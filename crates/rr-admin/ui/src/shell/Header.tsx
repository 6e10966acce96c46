// Where one is, whether it is connected, and the way out.

import { ActionIcon, Button, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { Mark, MoonIcon, SignOutIcon, SunIcon } from '../parts/icons';
import { type SignedInUser, server } from '../server/calls';
import { asProblem } from '../server/problem';
import { endSession } from '../server/session';
import { Status } from './Status';
import styles from './shell.module.css';

export function Header({ user }: { user: SignedInUser }) {
  const client = useQueryClient();
  const signOut = useMutation({
    mutationFn: server.signOut,
    onSuccess: () => endSession(client, false),
  });
  return (
    <header className={styles.header}>
      <div className={styles.headerRow}>
        <Mark />
        <div className={styles.brand}>
          <h1>DevOps Integration</h1>
          <p>Revenue Ripple</p>
        </div>
        <div className={styles.account}>
          <span className={styles.email}>{user.email}</span>
          <SchemeToggle />
          <Button
            size="compact-sm"
            variant="default"
            className={styles.signOut}
            leftSection={<SignOutIcon />}
            loading={signOut.isPending}
            onClick={() => signOut.mutate()}
          >
            Sign out
          </Button>
        </div>
      </div>
      {signOut.isError && (
        <p role="alert" className={styles.trouble}>
          You are still signed in: {asProblem(signOut.error).message}
        </p>
      )}
      <Status />
    </header>
  );
}

function SchemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme('light') === 'dark';
  const label = dark ? 'Use light colours' : 'Use dark colours';
  return (
    <ActionIcon
      variant="default"
      size={26}
      aria-label={label}
      title={label}
      onClick={() => setColorScheme(dark ? 'light' : 'dark')}
    >
      {dark ? <SunIcon /> : <MoonIcon />}
    </ActionIcon>
  );
}
