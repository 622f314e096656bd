#!/usr/bin/env python3
"""Reference: systemic CAR T / B-cell / autoantibody model + ONE lumped inflamed tissue (numpy only).

Integer tau-leaping (binomial losses, Poisson gains), vectorised over virtual patients.
  mode='tau': integer counts, so autoreactive clones can go extinct (the 'reset')
  mode='ode': same rates, expected values, no extinction (control that shows why discreteness matters)
Arms: cart (one infusion after lymphodepletion), rtx (rituximab 1 g on days 0 and 14),
      drug (continuous suppression, stopped on day 365), none.
Units: cells per compartment, days, mg/L (rituximab). Ab, IC, I, D, Mf, F and BAFF are relative to
untreated disease (= 1). Compartments: b blood (5 L), l lymph nodes + spleen, m marrow, t inflamed tissue.
Parameter sources: configs/models/systemic.yaml. Written before tissuesim and without any of its code.
Usage: python3 reference_systemic.py [n_patients=40] [seed=1]          about 6 s per arm for 40 patients
"""
import sys
from types import SimpleNamespace
import numpy as np

TYPICAL = dict(
    # product, lymphodepletion (LD)
    dose=7e7, f_mem=0.40, surv0=0.5,          # CAR+ cells; memory fraction; fraction alive after day 0
    S0=1.0, tau_sp=18.0, S50=0.1, sp_min=0.005,  # 'space' (IL-7/15) signal after LD and its decay (d)
    ld_P=0.10, tau_P=25.0,                    # marrow precursor output left by LD; recovery time (d)
    # CAR T kinetics (1/d) and trafficking (1/d)
    rho=1.32, tau_act=1.2, K_B=1.0e9, K_C=6e10, alpha=0.085, conv_EM=0.0010, act_M=0.6, beta=0.0032,
    k_bl=4.0, k_lb=0.12, k_bm=1.2, k_mb=0.15, k_bt=0.30, k_tb=0.25,
    # killing: hazard_x = kk*(E + pot_M*M)/(h_x + E + targets_x)
    kk=8.0, pot_M=0.05, h_b=5e8, h_l=1.0e9, h_m=3.0e8, h_t=5e8, cd19_PB=0.8, cd19_PC=0.25,
    # B lineage: Pm CD19+ marrow precursors fed by CD19-negative pro-B cells (sP), N naive, Mh healthy memory
    N_l=3e10, Mh=1.0e10, fb_Mh=0.017, Pm=1.0e10, sP=3e7, g_P=0.28, x_P=0.036, d_P=0.164,
    kN_bl=6.0, kN_lb=0.10, d_M=0.0266, f_N2M=0.1,
    # autoreactive memory / pathogenic B cells (A)
    A_l=8e7, A_t=1e7, r_A=0.120, s0_A=0.60, d_A=0.0266, kA_bl=5.0, kA_lb=0.05, kA_bt=0.5,
    mu=2e-10, n_I=4, new_clone=0.01 / 365,    # naive->A in inflamed host (1/cell/d); de novo clones (1/patient/d)
    # plasmablasts, plasma cells, antibody, BAFF
    k_PB=0.10, d_PB=0.20, k_PC=0.08, d_PC=0.035, w_PB=0.45, f_LL=0.06, d_LL=0.693 / 7300, k_IgG=0.693 / 21,
    k_BF=1.0, BF_max=4.0, e_BF=0.25,
    # tissue
    k_IC=0.693 / 10, d_I=0.080, w_IC=0.42, w_A=0.38, w_D=0.12, k_rep=0.693 / 45, d_Mf=0.0166, k_F=0.693 / 500,
    # rituximab PK (L, L/d, mg/L) and maximal extra death rates (1/d); egr: fraction of B-cell egress blocked
    V1=3.1, CL=0.26, Q=0.40, V2=3.6, EC50=4.0, em_b=250.0, em_l=0.110, em_t=0.065, em_m=0.10, em_N=0.002, egr=0.97,
    # continuous drug: fractional inhibition of A division, plasmablast output, tissue inflammation
    i_A=0.10, i_PB=0.35, i_I=0.35)

CV = dict(  # between-patient coefficients of variation, lognormal, truncated at +-2 sd
    dose=0.10, surv0=0.4, rho=0.17, tau_act=0.3, alpha=0.36, kk=0.30, tau_sp=0.2, h_m=0.5, h_t=0.35, k_bt=0.30,
    N_l=0.5, Mh=0.5, Pm=0.3, sP=0.5, tau_P=0.5, g_P=0.15, A_l=0.9, A_t=0.9, r_A=0.10, f_LL=0.8, k_IgG=0.15,
    k_IC=0.2, d_I=0.25, k_rep=0.3, CL=0.25, em_l=0.30, em_t=0.40, EC50=0.4, i_I=0.10)


def cohort(n, rng, over=None):
    p = {k: np.full(n, float(v)) for k, v in {**TYPICAL, **(over or {})}.items()}
    for k, cv in CV.items():
        p[k] = p[k] * np.exp(np.sqrt(np.log(1 + cv**2)) * np.clip(rng.standard_normal(n), -2, 2))
    p['f_mem'] = np.clip(rng.beta(4, 6, n) * p['f_mem'] / 0.4, 0.02, 0.95)
    p = SimpleNamespace(**p)
    # constants that make the untreated disease state stationary
    p.N_b = (p.kN_lb * p.N_l + p.x_P * p.Pm) / p.kN_bl
    p.A0 = 1.01 * p.A_l + p.A_t
    p.kA_tb = p.kA_bt * 0.01 * p.A_l / p.A_t
    p.K_A = p.A0 / (1 - p.d_A / p.r_A)
    p.K_P = p.Pm / (1 - (p.x_P + p.d_P - p.sP / p.Pm) / p.g_P)
    p.d_N = p.x_P * p.Pm / (p.N_l + p.N_b)
    p.PB0 = p.k_PB * p.A0 / (p.d_PB + p.k_PC)
    p.PC0 = p.k_PC * p.PB0 / p.d_PC
    p.w_I = 1 - p.w_IC - p.w_A - p.w_D
    return p


class Stepper:
    """Random (tau) or expected (ode) numbers of events in one step."""
    def __init__(self, rng, dt, tau):
        self.rng, self.dt, self.tau = rng, dt, tau

    def count(self, x):
        x = np.maximum(x, 0.0)
        return np.floor(x).astype(np.int64) if self.tau else x

    def gain(self, rate):
        m = np.maximum(rate, 0) * self.dt
        return self.rng.poisson(m) if self.tau else m

    def leave(self, x, *hz, arr=None):
        """Competing exits with hazards hz (1/d): list of numbers leaving by each route. arr = cells that
        arrive evenly during the step (keeps fast blood kinetics unbiased when hazard*dt is not small)."""
        tot = sum(hz) + np.zeros(x.size)
        z = np.minimum(tot * self.dt, 700.0)
        pr = -np.expm1(-z)
        pa = np.clip(1 - pr / np.maximum(z, 1e-12), 0, 1)
        if not self.tau:
            out = x * pr + (0 if arr is None else arr * pa)
            return [out * h / np.maximum(tot, 1e-300) for h in hz]
        left = self.rng.binomial(x, pr) + (0 if arr is None else self.rng.binomial(arr, pa))
        res, rest = [], tot.copy()
        for h in hz[:-1]:
            k = self.rng.binomial(left, np.clip(np.where(rest > 0, h / np.maximum(rest, 1e-300), 0), 0, 1))
            res.append(k)
            left, rest = left - k, rest - h
        return res + [left]


def simulate(arm, n=40, seed=1, T=730.0, dt=0.05, mode='tau', over=None, every=0.5):
    rng = np.random.default_rng(seed)
    p = cohort(n, rng, over)
    s = Stepper(rng, dt, mode == 'tau')
    zero, one = np.zeros(n), np.ones(n)
    E = {c: s.count(zero) for c in 'blmt'}            # effector CAR T cells
    M = {c: s.count(zero) for c in 'blmt'}            # memory CAR T cells
    cart = arm == 'cart'
    if cart:
        live = p.dose * np.minimum(p.surv0, 1)
        E['b'], M['b'] = s.count(live * (1 - p.f_mem)), s.count(live * p.f_mem)
    Pm, Nb, Nl, Mh = (s.count(v) for v in (p.Pm, p.N_b, p.N_l, p.Mh))
    A = {'b': s.count(0.01 * p.A_l), 'l': s.count(p.A_l), 't': s.count(p.A_t)}
    PB, PC = s.count(p.PB0), s.count(p.PC0)
    LL, Ab, Av, IC, I, D, Mf, F, BF = (one.copy() for _ in range(9))  # LL: CD19-negative long-lived plasma cells
    Act, Sp = zero.copy(), (p.S0.copy() if cart else zero.copy())
    ld = p.ld_P.copy() if cart else one.copy()
    c1, c2 = zero.copy(), zero.copy()                 # rituximab amounts (mg)
    B0 = p.N_l + p.N_b + p.Mh
    rec, extinct = {}, np.full(n, np.nan)
    step_rec = max(1, int(round(every / dt)))
    for k in range(int(round(T / dt)) + 1):
        t = k * dt
        if arm == 'rtx' and k in (0, int(round(14 / dt))):
            c1 = c1 + 1000.0
        C = c1 / p.V1
        rx = C**2 / (p.EC50**2 + C**2)                # rituximab effect, 0..1
        eg = 1 - p.egr * rx
        on = float(arm == 'drug' and t < 365)         # continuous drug present
        # ---- fast / quasi-steady quantities
        Atot = A['b'] + A['l'] + A['t']
        Mb = s.count(p.fb_Mh * Mh * 6 / (6 + p.em_b * rx))
        tgt = {'b': Nb + Mb + A['b'], 'l': Nl + Mh + A['l'], 'm': Pm, 't': A['t']}
        half = {'b': p.h_b, 'l': p.h_l, 'm': p.h_m, 't': p.h_t}
        hz = {c: p.kk * (E[c] + p.pot_M * M[c]) / (half[c] + E[c] + tgt[c]) for c in 'blmt'}
        if k % step_rec == 0:
            kill = hz['l'] * tgt['l'] + hz['m'] * Pm
            now = dict(t=np.full(n, t), Cb=(E['b'] + M['b']) / 5e6, Ct=(E['t'] + M['t']) * 1.0,
                       B=tgt['b'] / 5e6, Nl=Nl / p.N_l, A=Atot * 1.0, Ab=Ab, Av=Av, I=I, D=D, F=F, BF=BF,
                       IgG=0.70 * Av + 0.10 + 0.20 * np.minimum(1, (Mh + 0.2 * Nl) / (p.Mh + 0.2 * p.N_l)),
                       DA=0.5 * I + 0.25 * Ab + 0.25 * D, IL6=5 + 400 * (kill / (kill + 2e9))**2, RTX=C)
            for key, v in now.items():
                rec.setdefault(key, []).append(np.array(v, float))
            extinct = np.where(np.isnan(extinct) & (Atot + PB == 0), t, extinct)
        # ---- rituximab PK
        flow = p.Q * (C - c2 / p.V2)
        c1, c2 = np.maximum(c1 - dt * (p.CL * C + flow), 0), np.maximum(c2 + dt * flow, 0)
        # ---- CAR T cells: antigen-driven division, contraction, memory, trafficking
        Btot = sum(v.astype(float) for v in tgt.values())
        Act += dt * (Btot / (p.K_B + Btot) - Act) / p.tau_act
        Sp *= np.exp(-dt / p.tau_sp)
        space = Sp**2 / (p.S50**2 + Sp**2) + p.sp_min
        if cart:
            div = p.rho * Act * space * np.maximum(0, 1 - (sum(E.values()) + sum(M.values())) / p.K_C)
            chem = 0.2 + 0.8 * np.minimum(I, 1.5)     # CXCL9/10-driven extravasation
            for X in (E, M):
                lb, = s.leave(X['l'], p.k_lb)
                mb, = s.leave(X['m'], p.k_mb)
                tb, = s.leave(X['t'], p.k_tb)
                bl, bm, bt = s.leave(X['b'], p.k_bl, p.k_bm, p.k_bt * chem, arr=lb + mb + tb)
                X['b'] = X['b'] - bl - bm - bt + lb + mb + tb
                X['l'], X['m'], X['t'] = X['l'] + bl - lb, X['m'] + bm - mb, X['t'] + bt - tb
            for c in 'blmt':
                die, toM = s.leave(E[c], p.alpha, p.conv_EM)
                born = s.gain(div * E[c])
                wake, dieM = s.leave(M[c], p.act_M * Act * space, p.beta)
                E[c], M[c] = E[c] - die - toM + born + 2 * wake, M[c] - wake - dieM + toM
        # ---- B lineage
        ld = 1 - (1 - ld) * np.exp(-dt / p.tau_P)
        out, lost = s.leave(Pm, p.x_P, p.d_P + hz['m'] + p.em_m * rx)
        Pm = Pm - out - lost + s.gain(p.sP * ld + p.g_P * ld * Pm * np.maximum(0, 1 - Pm / p.K_P))
        lb, kl = s.leave(Nl, p.kN_lb * eg, p.d_N / (1 + (BF - 1) / (p.BF_max - 1)) + hz['l'] + p.em_N * rx)
        bl, kb = s.leave(Nb, p.kN_bl, p.d_N + hz['b'] + p.em_b * rx, arr=lb + out)
        Nb, Nl = Nb - bl - kb + lb + out, Nl - lb - kl + bl
        dm, = s.leave(Mh, p.d_M + hz['l'] + 0.3 * p.em_l * rx)
        Mh = Mh - dm + s.gain(p.d_M * Mh * np.maximum(0, 1 - p.f_N2M * Mh / p.Mh) + p.f_N2M * p.d_M * p.Mh * Nl / p.N_l)
        # ---- autoreactive B cells
        bfx = 1 + p.e_BF * (BF - 1) / p.BF_max
        stim = np.minimum(1.0, p.s0_A + (1 - p.s0_A) * I) * bfx * (1 - p.i_A * on)
        r = p.r_A * stim * np.maximum(0, 1 - Atot / p.K_A)
        seeds = p.mu * Nl * 2 * I**p.n_I / (1 + I**p.n_I) + p.new_clone * Nl / p.N_l
        lb, dl = s.leave(A['l'], p.kA_lb * eg, p.d_A + hz['l'] + p.em_l * rx)
        tb, dd = s.leave(A['t'], p.kA_tb, p.d_A + hz['t'] + p.em_t * rx)
        bl, bt, db = s.leave(A['b'], p.kA_bl, p.kA_bt * np.minimum(I, 1.5), p.d_A + hz['b'] + p.em_b * rx, arr=lb + tb)
        new = {c: s.gain(r * A[c]) for c in 'blt'}
        A = {'b': A['b'] - bl - bt - db + lb + tb + new['b'], 'l': A['l'] - lb - dl + bl + new['l'] + s.gain(seeds),
             't': A['t'] - tb - dd + bt + new['t']}
        # ---- antibody secretion
        toPC, dPB = s.leave(PB, p.k_PC, p.d_PB + p.cd19_PB * hz['l'])
        dPC, = s.leave(PC, p.d_PC + p.cd19_PC * hz['m'])
        PB = PB - toPC - dPB + s.gain(p.k_PB * (1 - p.i_PB * on) * np.minimum(1, 0.6 + 0.4 * I) * Atot)
        PC = PC - dPC + toPC
        LL = LL * np.exp(-p.d_LL * dt)
        made = (1 - p.f_LL) * (p.w_PB * PB / p.PB0 + (1 - p.w_PB) * PC / p.PC0) + p.f_LL * LL
        Ab, Av = Ab + dt * p.k_IgG * (made - Ab), Av + dt * p.k_IgG * (LL - Av)
        Brel = np.minimum(1, (Nl + Nb + Mh) / B0)
        BF = BF + dt * p.k_BF * (p.BF_max / (1 + (p.BF_max - 1) * Brel) - BF)
        # ---- tissue: immune complexes, inflammation, damage, myofibroblasts, fibrosis
        drive = p.w_IC * IC + p.w_A * np.minimum(A['t'] / p.A_t, 2) + p.w_D * D + p.w_I * I
        IC = IC + dt * p.k_IC * (Ab - IC)
        I = I + dt * p.d_I * (drive * (1 - p.i_I * on) - I)
        D = D + dt * p.k_rep * (I - D)
        Mf = Mf + dt * p.d_Mf * (0.5 * (I + D) - Mf)
        F = F + dt * p.k_F * (Mf - F)
    R = SimpleNamespace(**{k: np.array(v) for k, v in rec.items()})
    R.t, R.extinct, R.p = R.t[:, 0], extinct, p
    return R


def endpoints(R):
    t, n = R.t, R.B.shape[1]
    low = R.B < 0.01 * R.B[0]                          # B-cell aplasia: blood B cells < 1 % of baseline
    e = dict(peak_day=t[R.Cb.argmax(0)], peak_per_uL=R.Cb.max(0), tissue_peak=R.Ct.max(0), extinct_day=R.extinct)
    first, back, relapse = (np.full(n, np.nan) for _ in range(3))
    for j in range(n):
        if low[:, j].any():
            i = low[:, j].argmax()
            first[j] = t[i]
            up = np.flatnonzero(~low[i + 20:, j])
            back[j] = t[i + 20 + up[0]] if up.size else np.nan
        rem = np.flatnonzero(R.DA[:, j] < 0.40)        # remission: activity < 40 %, relapse: > 50 % afterwards
        if rem.size:
            up = np.flatnonzero(R.DA[rem[0]:, j] > 0.50)
            relapse[j] = t[rem[0] + up[0]] if up.size else np.nan
    i, j = np.abs(t - 5).argmin(), np.abs(t - 60).argmin()
    fall = np.log(R.Ab[i] / R.Ab[j])                   # apparent autoantibody half-life, days 5-60
    e.update(day_B_below_1pct=first, aplasia_days=back - first, B_return_day=back, relapse_day=relapse,
             relapse_after_return=relapse - back,
             Ab_halflife=np.where(fall > 0.05, 0.693 * (t[j] - t[i]) / np.maximum(fall, 0.05), np.nan),
             responded=R.DA.min(0) < 0.40, A_nadir=R.A.min(0), Nl_nadir=R.Nl.min(0))
    return e


def report(name, R):
    e = endpoints(R)
    print(f'== {name} (n={R.B.shape[1]}): remission {e["responded"].mean():.2f}, relapse by end '
          f'{np.isfinite(e["relapse_day"]).mean():.2f}, autoreactive extinct {np.isfinite(e["extinct_day"]).mean():.2f}, '
          f'A nadir {np.median(e["A_nadir"]):.2g}, lymphoid naive nadir {np.median(e["Nl_nadir"]):.2g}')
    for k in ('peak_day', 'peak_per_uL', 'day_B_below_1pct', 'aplasia_days', 'B_return_day', 'Ab_halflife',
              'extinct_day', 'relapse_day', 'relapse_after_return'):
        x = e[k][np.isfinite(e[k])]
        if x.size and np.any(x != 0):
            q = np.percentile(x, [5, 50, 95])
            print(f'   {k:22s} {x.mean():7.1f} +- {x.std():5.1f}   median {q[1]:6.1f}  (5-95 %: {q[0]:.1f} - {q[2]:.1f})')
    days = [d for d in (0, 7, 10, 14, 28, 60, 90, 180, 365, 545, 730) if d <= R.t[-1]]
    print('   median at day ' + ' '.join(f'{d:>8d}' for d in days))
    for k in ('Cb', 'B', 'Nl', 'A', 'Ab', 'Av', 'IgG', 'BF', 'I', 'D', 'F', 'DA', 'IL6'):
        print(f'   {k:14s}' + ' '.join(f'{np.median(getattr(R, k)[np.abs(R.t - d).argmin()]):8.3g}' for d in days))


if __name__ == '__main__':
    n_pat = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    sd = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for arm_, mode_ in (('cart', 'tau'), ('cart', 'ode'), ('rtx', 'tau'), ('drug', 'tau'), ('none', 'tau')):
        report(f'{arm_}/{mode_}', simulate(arm_, n_pat, sd, mode=mode_))
