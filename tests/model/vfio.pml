/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Journals, locks, watches and guests that give way, as a model that spin(1) searches. 'make check-model' does
 * so with one start, one stop and one kill: all of 30,013 states. By hand, with more:
 *
 *   spin -a -DSTARTS=2 vfio.pml && gcc -O2 -DCOLLAPSE -DSAFETY -o pan pan.c && ./pan -m400000
 *
 * With two starts 20 million states were without an error when the search was stopped.
 * Three VMs want two devices. They are started and stopped at any moment, QEMUs end by themselves, guests do
 * not obey, and tasks, hooks and watches are killed between any two steps. A step is what others can see: a
 * lock, a look at the journals, a journal that is written, a device that changes its driver. What is done under
 * a lock with nothing of that in between is one step.
 *
 * Always: no device has two owners, what a QEMU has open is with vfio-pci, what is with vfio-pci is in a
 * journal. At rest, and after 'pve-vfio restore --stale' where something was killed: what is off has given
 * everything back, and no guest that gave way is forgotten.
 *
 * Each rule names the function that has it (test-model sees that there is one). FAULT leaves one out: the search
 * finds 3, 8, 9, 12 and 15 with one start and 5 with two; of the others that is not known yet.
 */
#ifndef STARTS
#define STARTS 2 /* by hand: guests that gave way are started again beside these */
#endif
#ifndef STOPS
#define STOPS 1 /* by hand, or QEMUs that end by themselves */
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef FAULT
#define FAULT 0
#endif

#define DEVICES 2
#define PROCESSES 24
#define BIT(n) (1 << (n))
#define NOBODY 3

/* The devices that a VM wants, and the VMs that give way to it (settings, "displace"). */
#define WANTS(i) ((i) == 0 -> 1 : ((i) == 1 -> 3 : 2))
#define DISPLACES(i) ((i) == 0 -> 2 : ((i) == 1 -> 5 : 0))

mtype = { NONE, STARTING, READY, RUNNING, STOPPING };

/* change/journal.h */
typedef Journal {
	mtype phase = NONE;
	byte start; /* which of all starts it is of */
	byte watch_by; /* "watch": the process, from 1 */
	byte has;   /* ACTION_BIND: devices */
	byte asks;  /* ACTION_DISPLACE: the devices that others are to give way for, */
	byte gives; /* the VMs that are asked, */
	byte gave   /* and those that have given way */
};
Journal journal[3];

bool vfio[DEVICES]; /* with vfio-pci; else with its driver of the host */
byte user[DEVICES]; /* the VM whose QEMU has it open, from 1 */
bool qemu[3];

/* Locks: the process that has it, from 1. */
byte pve[3];  /* Proxmox VE's, on the configuration of a VM: pve/lock.h */
byte lock[3]; /* ours, for a whole phase: state_lock_vm() */
byte claims;  /* state_lock_claims() */

bool watching[PROCESSES]; /* by process: a watch that lives */
byte runs;		  /* the last of all starts */
byte busy;		  /* tasks and phases that have not ended */
byte victim;		  /* the process that is being killed, from 1 */

/* What a task waits for. */
mtype = { NOTHING, GOES, REFUSES };
mtype said[3];	  /* by pre-start */
bool back[3];	  /* it is being started again */
bool stopping[3]; /* it is being stopped for another */
bool cleaning[3]; /* its post-stop is at work */

#define KILLED (victim == _pid + 1)
#define FREE_OF(what) (what == 0 || what == _pid + 1)
#define HAVE(what) what = _pid + 1
#define DROP(what)                                                                                 \
	if                                                                                         \
	:: what == _pid + 1 -> what = 0                                                            \
	:: else                                                                                    \
	fi
#define EACH(does) (does(0) | does(1) | does(2))

/* ---- rules */

/* claim_is_free(): what a VM has that is stopping may go to the start that it gave way to */
#define MAY_GO(k, i) (journal[k].phase == STOPPING && (journal[i].gave & BIT(k)))

/* claim_find(): a start has what others are to give way for */
#define CLAIMED(k) (journal[k].has | (journal[k].phase == STARTING -> journal[k].asks : 0))

/* add_claims(): another VM has a device of the plan, and does not give way */
#define OWNED(k, i, asked)                                                                         \
	((k) != (i) && (CLAIMED(k) & WANTS(i)) && !MAY_GO(k, i) && !((asked) & BIT(k)))

/* displace_asked_by(), tell_asked(): a guest gives way to one start at a time */
#define ASKED(k, i, asked)                                                                         \
	(FAULT != 1 && (k) != (i) && journal[k].phase == STARTING &&                               \
	 ((journal[k].gives | journal[k].gave) & (asked)))

/* check_claims() */
#define REFUSED(i, asked)                                                                          \
	(OWNED(0, i, asked) || OWNED(1, i, asked) || OWNED(2, i, asked) || ASKED(0, i, asked) ||   \
	 ASKED(1, i, asked) || ASKED(2, i, asked))

/* check_owner(): somebody who does not give way has it open, be it for a moment more */
#define USED_BY(d, i, asked) ((WANTS(i) & BIT(d)) && user[d] && !((asked) & BIT(user[d] - 1)))
#define USED(i, asked) (USED_BY(0, i, asked) || USED_BY(1, i, asked))

/* comes_back(): who starts it again has the lock of the VM that it gave way to, and it displaces nobody */
#define COMES_FROM(k, i) (journal[k].phase == STOPPING && (journal[k].gave & BIT(i)) && lock[k])
#define COMES_BACK(i) (FAULT != 2 && (COMES_FROM(0, i) || COMES_FROM(1, i) || COMES_FROM(2, i)))

/* ask_owners(): who runs with something that is wanted, and gives way */
#define ASK(k, i)                                                                                  \
	(((k) != (i) && (DISPLACES(i) & BIT(k)) && qemu[k] && journal[k].phase == RUNNING &&       \
	  (journal[k].has & WANTS(i))) -> BIT(k) : 0)
#define ASK_ALL(i) (COMES_BACK(i) -> 0 : (ASK(0, i) | ASK(1, i) | ASK(2, i)))

/* displace_leave(): what another start is about to take over stays as it is */
#define LEFT_TO(k, i)                                                                              \
	(((k) != (i) && journal[k].phase == STARTING &&                                            \
	  ((journal[k].gives | journal[k].gave) & BIT(i))) -> journal[k].asks : 0)
#define LEFT(i) (LEFT_TO(0, i) | LEFT_TO(1, i) | LEFT_TO(2, i))

/* held_find(): what somebody has open */
#define OPEN(d) (FAULT != 3 && user[d])
#define HELD(i) (((journal[i].has & 1) && OPEN(0)) || ((journal[i].has & 2) && OPEN(1)))

/* has_ended(), hook/owner.c: between pre-start and QEMU Proxmox VE has the VM locked */
#define STARTED(k) (journal[k].phase == RUNNING || journal[k].phase == STOPPING)
#define HAS_ENDED(k) (!qemu[k] && (STARTED(k) || pve[k] == 0 || FAULT == 4))

/* is_wanted(), owners_settle(): a VM that has ended still has a device that is wanted */
#define SETTLES(k, i)                                                                              \
	((k) != (i) && !(tried & BIT(k)) && (journal[k].has & WANTS(i)) && !MAY_GO(k, i))
#define NEXT_OWNER(i) (SETTLES(0, i) -> 0 : (SETTLES(1, i) -> 1 : (SETTLES(2, i) -> 2 : NOBODY)))

/* claims_take_over() */
#define TAKES(k, i) ((k) != (i) && !(tried & BIT(k)) && MAY_GO(k, i))
#define NEXT_TAKEN(i) (TAKES(0, i) -> 0 : (TAKES(1, i) -> 1 : (TAKES(2, i) -> 2 : NOBODY)))

#define FIRST_OF(set) ((set) & 1 -> 0 : ((set) & 2 -> 1 : ((set) & 4 -> 2 : NOBODY)))

/* watch_is_for(), change/watch.c */
#define IS_FOR(i, of_run)                                                                          \
	(journal[i].phase != NONE && journal[i].start == of_run && journal[i].phase != RUNNING)

#define WATCHED(i) (journal[i].watch_by && watching[journal[i].watch_by - 1])

/* is_starting(), hook/phase_post_stop.c: what nobody has confirmed is its watch's to give back */
#define IS_STARTING(i)                                                                             \
	(FAULT != 5 && (journal[i].phase == STARTING || journal[i].phase == READY) && WATCHED(i))

/* ---- what must hold */

#define OWNERS(d)                                                                                  \
	(((journal[0].has >> d) & 1) + ((journal[1].has >> d) & 1) + ((journal[2].has >> d) & 1))
#define HANDED(d, k, i) (((journal[k].has & journal[i].has) >> d) & 1 && MAY_GO(k, i))
#define HANDED_ON(d)                                                                               \
	(HANDED(d, 0, 1) || HANDED(d, 0, 2) || HANDED(d, 1, 0) || HANDED(d, 1, 2) ||               \
	 HANDED(d, 2, 0) || HANDED(d, 2, 1))
#define ONE_OWNER(d) (OWNERS(d) <= 1 || (OWNERS(d) == 2 && HANDED_ON(d)))

inline look()
{
	assert(ONE_OWNER(0) && ONE_OWNER(1));
	assert((!user[0] || vfio[0]) && (!user[1] || vfio[1]));
	assert((!vfio[0] || OWNERS(0)) && (!vfio[1] || OWNERS(1)))
}

/* ---- pieces */

/* journal_settle(): without an action there is no journal */
inline settle(i)
{
	if
	:: journal[i].has == 0 && journal[i].gives == 0 && journal[i].gave == 0 ->
		journal[i].phase = NONE;
		journal[i].asks = 0;
		journal[i].watch_by = 0
	:: else
	fi
}

/* watch_leave(), hook_watch_held(): something is left, and no watch lives */
inline leave_watch(i)
{
	if
	:: FAULT != 6 && journal[i].phase != NONE && !WATCHED(i) ->
		new = run watch(i, journal[i].start, false);
		watching[new] = true;
		journal[i].watch_by = new + 1
	:: else
	fi
}

inline revert(i, d)
{
	if
	:: (journal[i].has & BIT(d)) && !(left & BIT(d)) && !OPEN(d) -> vfio[d] = false; look()
	:: else
	fi
}

/* hook_give_back(), restore_journal(): device by device, then the journal. The VM's lock is held. */
inline give_back(i)
{
	atomic {
		journal[i].phase = STOPPING;
		left = (FAULT == 7 -> 0 : LEFT(i)) & journal[i].has;
		if
		:: FAULT == 8 -> journal[i].has = left
		:: else
		fi;
		revert(i, 0)
	};
	atomic { revert(i, 1) };
	atomic {
		if
		:: !vfio[0] && !(left & 1) -> journal[i].has = journal[i].has & ~1
		:: else
		fi;
		if
		:: !vfio[1] && !(left & 2) -> journal[i].has = journal[i].has & ~2
		:: else
		fi;
		settle(i);
		look()
	}
}

/* ---- the watch: change/watch.c, hook/watch.c */

proctype watch(byte i, of_run; bool at_start)
{
	byte left, guests, k;

	{
		/* vm_lock_wait(): for as long as the start lasts */
		if
		:: at_start && FAULT != 9 -> pve[i] == 0
		:: else
		fi;
end_waits:	/* look(), without a lock, until all is closed; hook_settle() looks again under the VM's lock */
		atomic {
			if
			:: !IS_FOR(i, of_run) -> goto over
			:: IS_FOR(i, of_run) && !qemu[i] && !HELD(i)
			fi
		};
		atomic {
			FREE_OF(lock[i]) ->
			HAVE(lock[i]);
			if
			:: FAULT != 10 && !IS_FOR(i, of_run) -> goto over
			:: FAULT != 10 && IS_FOR(i, of_run) && qemu[i] -> DROP(lock[i]); goto end_waits
			:: FAULT == 10 || (IS_FOR(i, of_run) && !qemu[i])
			fi
		};
		give_back(i);
		/* restore_guests(): who gave way starts again, but not while another start takes something over */
		atomic { guests = (left == 0 && !HELD(i) -> journal[i].gives | journal[i].gave : 0) };
		do
		:: guests == 0 -> break
		:: else ->
			atomic {
				k = FIRST_OF(guests);
				guests = guests & ~BIT(k);
				if
				:: !qemu[k] && FAULT != 11 -> back[k] = true; busy++; run task(k)
				:: else
				fi
			};
			atomic {
				!back[k];
				journal[i].gives = journal[i].gives & ~BIT(k);
				journal[i].gave = journal[i].gave & ~BIT(k);
				settle(i)
			}
		od;
		atomic {
			DROP(lock[i]);
			if
			:: IS_FOR(i, of_run) -> goto end_waits
			:: else
			fi
		}
	} unless { KILLED };
over:
	atomic {
		DROP(lock[i]);
		DROP(victim);
		watching[_pid] = false
	}
}

/* ---- phases of the hook */

proctype pre_start(byte i)
{
	byte k, left, asked, tried, this_run, new, by;
	bool again;

	{
		/* hook_begin(), read_earlier(). What is not free in time is given up. */
		if
		:: atomic {
			FREE_OF(lock[i]) ->
			if
			:: FAULT == 12 -> skip
			:: else -> HAVE(lock[i])
			fi;
			if
			:: qemu[i] -> goto end
			:: else
			fi
		}
		:: timeout -> goto end
		fi;
prepare:	/* owners_settle() */
		tried = 0;
		do
		:: atomic {
			k = NEXT_OWNER(i);
			tried = tried | BIT(k);
			if
			:: k == NOBODY -> break
			:: else
			fi
		};
			if
			:: atomic { FREE_OF(lock[k]) -> HAVE(lock[k]) }
			:: timeout -> goto refuse
			fi;
			if
			:: journal[k].phase != NONE && HAS_ENDED(k) ->
				give_back(k);
				atomic { leave_watch(k); DROP(lock[k]) }
			:: else -> DROP(lock[k])
			fi
		od;
		/* displace_plan(), hook_check(), watch_start() */
		atomic {
			asked = ASK_ALL(i);
			if
			:: REFUSED(i, asked) || USED(i, asked) || (again && asked) -> goto refuse
			:: !again && !REFUSED(i, asked) && !USED(i, asked) ->
				runs++;
				assert(runs < 12);
				this_run = runs;
				if
				:: pve[i] ->
					new = run watch(i, runs, true);
					watching[new] = true;
					by = new + 1
				:: else
				fi
			:: again && !asked && !REFUSED(i, asked) && !USED(i, asked)
			fi
		};
		if
		:: asked ->
			/* displace_guests(): announced, under the claims lock */
			if
			:: atomic {
				FREE_OF(claims) ->
				HAVE(claims);
				if
				:: REFUSED(i, asked) -> DROP(claims); goto refuse
				:: else
				fi
			}
			:: timeout -> goto refuse
			fi;
			atomic {
				journal[i].phase = STARTING;
				journal[i].start = this_run;
				journal[i].watch_by = by;
				journal[i].gives = asked;
				journal[i].asks = WANTS(i);
				DROP(claims);
				look()
			};
			tried = asked;
			do
			:: tried == 0 -> break
			:: else ->
				/* displace_apply(): qm shutdown, in a lane */
				atomic {
					k = FIRST_OF(tried);
					tried = tried & ~BIT(k);
					stopping[k] = true;
					busy++;
					run stop(k, true)
				};
				atomic {
					!stopping[k];
					if
					:: qemu[k] -> goto refuse
					:: else -> journal[i].gives = journal[i].gives & ~BIT(k); journal[i].gave = journal[i].gave | BIT(k)
					fi
				}
			od;
			again = true;
			goto prepare
		:: else
		fi;
		/* claim(): looked at again under the claims lock, and announced */
		if
		:: atomic {
			FREE_OF(claims) ->
			HAVE(claims);
			if
			:: FAULT != 13 && REFUSED(i, 0) -> DROP(claims); goto refuse
			:: else
			fi
		}
		:: timeout -> goto refuse
		fi;
		atomic {
			if
			:: FAULT == 14 -> vfio[0] = (WANTS(i) & 1 -> 1 : vfio[0])
			:: else
			fi;
			journal[i].phase = STARTING;
			journal[i].start = this_run;
			journal[i].watch_by = by;
			if
			:: FAULT == 15
			:: else -> journal[i].has = WANTS(i)
			fi;
			tried = 0;
			look()
		};
		do
		:: atomic {
			k = (FAULT == 16 -> NOBODY : NEXT_TAKEN(i));
			tried = tried | BIT(k);
			if
			:: k == NOBODY -> break
			:: else
			fi
		};
			if
			:: atomic {
				FREE_OF(lock[k]) ->
				/* take_over(); read anew */
				journal[k].has = journal[k].has & ~WANTS(i);
				/* displace_inherit() */
				journal[i].gave = journal[i].gave | (journal[k].gave & ~BIT(i));
				journal[k].gave = 0;
				settle(k);
				look()
			}
			:: timeout -> goto refuse
			fi
		od;
		DROP(claims);
		/* run_actions() */
		atomic {
			if
			:: WANTS(i) & 1 -> assert(!user[0]); vfio[0] = true; look()
			:: else
			fi
		};
		atomic {
			if
			:: WANTS(i) & 2 -> assert(!user[1]); vfio[1] = true; look()
			:: else
			fi;
			journal[i].phase = READY;
			journal[i].has = WANTS(i);
			said[i] = GOES;
			goto end
		};
refuse:		/* give_back() of all, roll_back() */
		atomic { DROP(claims) };
		if
		:: journal[i].phase != NONE && FAULT != 17 -> give_back(i); atomic { leave_watch(i) }
		:: else
		fi
	} unless { KILLED };
end:
	atomic {
		DROP(lock[0]);
		DROP(lock[1]);
		DROP(lock[2]);
		DROP(claims);
		DROP(victim);
		if
		:: said[i] == NOTHING -> said[i] = REFUSES
		:: else
		fi;
		busy--
	}
}

proctype post_stop(byte i)
{
	byte left, new;

	{
		if
		:: atomic { FREE_OF(lock[i]) -> HAVE(lock[i]) }
		:: timeout -> goto end
		fi;
		if
		:: journal[i].phase == NONE || (!qemu[i] && IS_STARTING(i))
		:: journal[i].phase != NONE && qemu[i] ->
			/* leave_to_qemu(): it has been started again */
			atomic {
				if
				:: journal[i].phase != RUNNING -> leave_watch(i)
				:: else
				fi
			}
		:: journal[i].phase != NONE && !qemu[i] && !IS_STARTING(i) ->
			give_back(i);
			atomic { leave_watch(i) }
		fi
	} unless { KILLED };
end:
	atomic {
		DROP(lock[i]);
		DROP(victim);
		cleaning[i] = false;
		busy--
	}
}

/* pve-vfio restore --stale: restore_one_stale() */
proctype restore(byte i)
{
	byte left, new;

	atomic {
		if
		:: lock[i] == 0 && journal[i].phase != NONE && !qemu[i] && pve[i] == 0 -> HAVE(lock[i])
		:: else -> goto end
		fi
	};
	give_back(i);
	atomic { leave_watch(i) };
end:
	atomic {
		DROP(lock[i]);
		busy--
	}
}

/* ---- Proxmox VE's tasks: qm start; qm stop, qm shutdown and qm cleanup, each under its lock */

proctype task(byte i)
{
	{
		if
		:: atomic {
			pve[i] == 0 ->
			HAVE(pve[i]);
			if
			:: qemu[i] -> goto end
			:: else -> said[i] = NOTHING; busy++; run pre_start(i)
			fi
		}
		:: timeout -> goto end
		fi;
		if
		:: said[i] == GOES
		:: said[i] == REFUSES -> goto end
		fi;
		/* QEMU opens its devices: Proxmox VE's own binding would find nothing to do */
		atomic {
			assert(!(WANTS(i) & 1) || (vfio[0] && !user[0]));
			assert(!(WANTS(i) & 2) || (vfio[1] && !user[1]));
			user[0] = (WANTS(i) & 1 -> i + 1 : user[0]);
			user[1] = (WANTS(i) & 2 -> i + 1 : user[1]);
			qemu[i] = true;
			look()
		};
		/* phase_post_start() */
		atomic {
			FREE_OF(lock[i]) ->
			if
			:: journal[i].phase != NONE -> journal[i].phase = RUNNING; journal[i].watch_by = 0; look()
			:: else
			fi
		}
	} unless { KILLED };
end:
	atomic {
		DROP(pve[i]);
		DROP(victim);
		back[i] = false;
		busy--
	}
}

inline close_all(i)
{
	user[0] = (user[0] == i + 1 -> 0 : user[0]);
	user[1] = (user[1] == i + 1 -> 0 : user[1])
}

proctype stop(byte i; bool may_disobey)
{
	{
		if
		:: atomic {
			pve[i] == 0 ->
			HAVE(pve[i]);
			if
			:: may_disobey -> goto end
			:: qemu[i] = false
			fi
		}
		:: timeout -> goto end
		fi;
		/* the kernel closes them a moment later, if the task lives to see it or not */
		atomic { close_all(i); busy++; cleaning[i] = true; run post_stop(i) };
		!cleaning[i]
	} unless { KILLED };
end:
	atomic {
		if
		:: !qemu[i] -> close_all(i)
		:: else
		fi;
		DROP(pve[i]);
		DROP(victim);
		stopping[i] = false;
		busy--
	}
}

/* ---- what happens */

byte starts = STARTS, stops = STOPS, kills = KILLS;

active proctype world()
{
	byte i;

	do
	:: atomic {
		starts > 0 ->
		select(i : 0 .. 2);
		starts--;
		busy++;
		run task(i)
	}
	:: atomic {
		stops > 0 && (qemu[0] || qemu[1] || qemu[2]) ->
		if
		:: qemu[0] -> i = 0
		:: qemu[1] -> i = 1
		:: qemu[2] -> i = 2
		fi;
		stops--;
		busy++;
		run stop(i, false)
	}
	:: atomic {
		kills > 0 && victim == 0 && busy > 0 ->
		kills--;
		select(i : 2 .. 10);
		victim = i
	}
	:: break
	od;
	victim = 0;
	busy == 0 && timeout;
	/* Where something was killed this is what is done. */
	i = 0;
	do
	:: i == 3 || kills == KILLS -> break
	:: else ->
		atomic { busy++; run restore(i); i++ };
		busy == 0 && timeout
	od;
	/* Each that ends may have another come back. */
	do
	:: qemu[0] || qemu[1] || qemu[2] ->
		atomic {
			i = (qemu[0] -> 0 : (qemu[1] -> 1 : 2));
			busy++;
			run stop(i, false)
		};
		busy == 0 && timeout
	:: else -> break
	od;
	assert(journal[0].phase == NONE && journal[1].phase == NONE && journal[2].phase == NONE);
	assert(!vfio[0] && !vfio[1])
}
