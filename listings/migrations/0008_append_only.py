from django.db import migrations

# What stands in the record is not changed afterwards. A person who is deleted leaves their lines (actor_id), a photo
# its verdicts (photo_id). The demo writes yesterday's rows today: it says so for its own transaction.
FUNCTION = """
CREATE FUNCTION listings_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  free text[] := ARRAY[]::text[];
BEGIN
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW)->>'actor_id' IS NULL THEN
    free := free || 'actor_id'::text;
  END IF;
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW)->>'photo_id' IS NULL THEN
    free := free || 'photo_id'::text;
  END IF;
  IF current_setting('marketplace.dating_back', true) = 'on' THEN
    free := free || 'created_at'::text;
  END IF;
  IF TG_OP = 'DELETE' OR to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
    RAISE EXCEPTION 'rows of % are a record and are not changed', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
"""
TABLES = ("verdict", "ruling", "statuschange", "decision", "settingchange")


def trigger(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"CREATE TRIGGER append_only BEFORE UPDATE ON listings_{table}"
        " FOR EACH ROW EXECUTE FUNCTION listings_append_only()",
        f"DROP TRIGGER append_only ON listings_{table}",
    )


class Migration(migrations.Migration):
    dependencies = [("listings", "0007_trust")]
    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION listings_append_only()"),
        *(trigger(table) for table in TABLES),
        # The others go with their listing; nothing else takes a setting's history away.
        migrations.RunSQL(
            "CREATE TRIGGER kept BEFORE DELETE ON listings_settingchange"
            " FOR EACH ROW EXECUTE FUNCTION listings_append_only()",
            "DROP TRIGGER kept ON listings_settingchange",
        ),
    ]
