# The same package on Airflow's own image, for docker-compose.yaml.
FROM apache/airflow:3.3.2-python3.12
USER airflow
COPY --chown=airflow:0 requirements.txt /opt/nurture/requirements.txt
RUN pip install --no-cache-dir -r /opt/nurture/requirements.txt
COPY --chown=airflow:0 dags /opt/airflow/dags
COPY --chown=airflow:0 plugins /opt/airflow/plugins
COPY --chown=airflow:0 include /opt/airflow/include
# Named volumes take over the owner of the folder that they cover.
RUN mkdir -p /opt/airflow/state /opt/airflow/logs
ENV PYTHONPATH=/opt/airflow/plugins
