// A titled surface: one subject of the page.

import { type ReactNode, useId } from 'react';

import styles from './parts.module.css';

interface CardProps {
  title: string;
  /** 2 for a room, 3 for a part of one. */
  level?: 2 | 3;
  aside?: ReactNode;
  children: ReactNode;
}

export function Card({ title, level = 3, aside, children }: CardProps) {
  const id = useId();
  const Heading = level === 2 ? 'h2' : 'h3';
  return (
    <section className={styles.card} aria-labelledby={id}>
      <header className={styles.cardHead}>
        <Heading id={id} className={level === 2 ? styles.roomTitle : styles.cardTitle}>
          {title}
        </Heading>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** What stands where nothing is. */
export function Empty({ children }: { children: ReactNode }) {
  return <p className={styles.empty}>{children}</p>;
}
