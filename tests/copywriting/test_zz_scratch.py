import json, random, time
from copy_night import *
from nurture.copywriting.vocabulary import load_vocabulary
def test_scale(night, warehouse):
    v=load_vocabulary(); r=random.Random(1)
    rows=[(f"p_{i}", json.dumps({"persona": r.choice(v.personas), "industry": r.choice(v.industries), "pain_point": r.choice(v.pain_points), "lifecycle_stage": r.choice(v.lifecycle_stages), "recent_product": r.choice([*v.words("products"), None]), "trigger_event": r.choice(["form_submit","view_item","demo_request"])}), r.choices(["ai","static"],[7,2])[0]) for i in range(10000)]
    with warehouse.cursor() as c:
        with c.copy("COPY marts.audience (campaign, day, person_id, slot, crm_id, trigger_event, trigger_at, trigger_event_day, trigger_row_number, context, arm) FROM STDIN") as cp:
            for p,ctx,arm in rows: cp.write_row(("lead_nurture","2026-11-20",p,"week-2026-W47",p,"form_submit","2026-11-20","2026-11-20",1,ctx,arm))
    warehouse.commit()
    for k in range(2):
        t=time.time(); n=night.write(concurrency=16); print(k, round(time.time()-t,2), n)
    print(night.rows("select count(distinct context) from marts.audience"))
